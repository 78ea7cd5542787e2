// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one integration binary of the workspace: references against the libraries of their sources, the command line's
//! contract, golden references, hostile input.

#[cfg(test)]
mod access;
#[cfg(test)]
mod bombs;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod combine;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod differential;
mod documentation;
#[cfg(test)]
mod ended;
#[cfg(test)]
#[cfg(feature = "libhdf5")]
mod engines;
#[cfg(test)]
mod environment;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod grib;
#[cfg(test)]
mod grib_peers;
#[cfg(test)]
mod hostile;
#[cfg(test)]
#[cfg(feature = "icechunk")]
mod icechunk;
#[cfg(test)]
#[cfg(feature = "icechunk")]
mod icechunk_faults;
#[cfg(test)]
mod injected;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod netcdf3;
#[cfg(test)]
mod options;
#[cfg(test)]
mod outputs;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod references;
#[cfg(test)]
mod report_page;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod verify;

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Combines datasets into one: files that follow one another along a dimension become a data cube.
//!
//! Work is done on columns of references; nothing is read. What has to be known by value (coordinates, small arrays that
//! are compared) lies in the inputs as plain values, and arrays that do not are taken for different.
//!
//! | module | holds |
//! |---|---|
//! | [`combine`](mod@combine) | [`CubeCombiner`] and [`combine()`], which also says what was left out |
//! | [`report`] | [`Report`]: every conflict once, with the inputs on each side and what resolves it |
//! | `input` | one dataset among others, and what it is called |
//! | `value`, `scalar` | coordinates as things that can be compared; as numbers and text from elsewhere |
//! | `unstored` | arrays without chunks, which are stored as the others are |
//! | `fill` | fill values that say the same in other words |
//! | `promote` | small arrays of different types of numbers, in one |
//! | `time` | CF times brought to one epoch |
//! | `text` | text of different lengths brought to one |
//! | `coordinates` | the coordinates of one dimension in every input |
//! | `axis` | where along a dimension each input lies |
//! | `placement` | runs and boxes of places, and which input has each |
//! | `overlap`, `holes` | inputs that lie on one another, and what each has there that the others lack |
//! | `variable`, `aspect` | what becomes of one variable; whether it is the same kind of thing in all inputs |
//! | `stacked` | the dimensions that a variable depends on although it has them in no input |
//! | `words` | types and values in the words of messages |
//! | `analysis` | all of that, before anything is made |
//! | `cut` | chunks without codecs cut into smaller ones |
//! | `assemble` | the combined dataset |
//! | [`element`] | what an element means, for those who check a cube |
//! | `difference` | where two arrays differ most |
//! | `scopes` | groups that each have the dimension |
//! | [`merge`](mod@merge) | [`merge()`]: different variables from different inputs |

mod analysis;
mod aspect;
mod assemble;
mod axis;
pub mod combine;
mod coordinates;
mod cut;
mod difference;
pub mod element;
mod fill;
mod holes;
mod input;
pub mod merge;
mod overlap;
mod placement;
mod promote;
pub mod report;
mod scalar;
mod scopes;
mod stacked;
mod text;
mod time;
mod unstored;
mod valid_time;
mod value;
mod variable;
mod words;

#[cfg(test)]
mod conflict_tests;
#[cfg(test)]
mod cube_tests;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod pieces_tests;
#[cfg(test)]
mod resolution_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod text_tests;
#[cfg(test)]
mod time_tests;

pub use combine::{Combined, CubeCombiner, combine, plan};
pub use difference::{Difference, largest_difference};
pub use merge::merge;
pub use report::Report;
pub use time::{are_since, date_of};

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one integration binary of the workspace.

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the linker must know of an extension module: on macOS, that Python's symbols come later.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}

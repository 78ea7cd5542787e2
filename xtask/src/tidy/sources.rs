// SPDX-License-Identifier: MIT OR Apache-2.0
//! Licence line, module documentation and length of each source file.

use super::Findings;

const LICENCE: &str = "SPDX-License-Identifier: MIT OR Apache-2.0";
const MANY_LINES: usize = 500;
const TOO_MANY_LINES: usize = 800;
const LIB_LINES: usize = 60;

/// Check one file, if it is source.
pub(super) fn check(path: &str, text: &str, findings: &mut Findings) {
    let (comment, rust) = match path.rsplit_once('.') {
        Some((_, "rs")) => ("//", true),
        Some((_, "py")) => ("#", false),
        _ => return,
    };
    if text.lines().next() != Some(&format!("{comment} {LICENCE}")) {
        findings.fault(path, format!("the first line is not `{comment} {LICENCE}`"));
    }
    let documented = text
        .lines()
        .skip(1)
        .take(5)
        .any(|line| line.starts_with(if rust { "//!" } else { "\"\"\"" }));
    if !documented {
        findings.fault(
            path,
            format!(
                "says not what it is for: no `{}` line after the licence",
                if rust { "//!" } else { "\"\"\"" }
            ),
        );
    }
    let lines = production_lines(text);
    if lines > TOO_MANY_LINES {
        findings.fault(path, format!("{lines} lines before its tests, {TOO_MANY_LINES} at most"));
    } else if lines > MANY_LINES {
        findings.warning(path, format!("{lines} lines before its tests: can it be split?"));
    } else if path.starts_with("crates/") && path.ends_with("/src/lib.rs") && lines > LIB_LINES {
        findings
            .warning(path, format!("{lines} lines in a table of contents, {LIB_LINES} expected"));
    }
}

/// Lines before `mod tests`.
fn production_lines(text: &str) -> usize {
    text.lines()
        .take_while(|line| !line.starts_with("mod tests"))
        .filter(|line| line.trim() != "#[cfg(test)]")
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "// SPDX-License-Identifier: MIT OR Apache-2.0\n//! A module.\n";

    fn faults(path: &str, text: &str) -> (usize, usize) {
        let mut findings = Findings::default();
        check(path, text, &mut findings);
        (findings.faults.len(), findings.warnings.len())
    }

    #[test]
    fn a_source_file_says_licence_and_purpose() {
        assert_eq!(faults("a.rs", HEAD), (0, 0));
        assert_eq!(
            faults(
                "a.py",
                "# SPDX-License-Identifier: MIT OR Apache-2.0\n\"\"\"What it does.\"\"\"\n"
            ),
            (0, 0)
        );
        assert_eq!(faults("a.rs", "//! A module.\n"), (2, 0));
        assert_eq!(
            faults("a.rs", "// SPDX-License-Identifier: MIT OR Apache-2.0\nfn main() {}\n"),
            (1, 0)
        );
        assert_eq!(faults("a.rs", ""), (2, 0));
        assert_eq!(faults("a.md", "anything"), (0, 0));
    }

    #[test]
    fn length_counts_up_to_the_tests() {
        let code = |lines: usize| format!("{HEAD}{}", "x\n".repeat(lines));
        assert_eq!(faults("a.rs", &code(498)), (0, 0));
        assert_eq!(faults("a.rs", &code(499)), (0, 1));
        assert_eq!(faults("a.rs", &code(799)), (1, 0));
        assert_eq!(
            faults(
                "a.rs",
                &format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", code(10), "y\n".repeat(900))
            ),
            (0, 0)
        );
        assert_eq!(faults("crates/a/src/lib.rs", &code(90)), (0, 1));
    }
}

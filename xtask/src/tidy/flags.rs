// SPDX-License-Identifier: MIT OR Apache-2.0
//! No flag of a command line in the messages of a library: Python and Rust users see them too. What helps is a `Resolution`, which
//! each front-end words.

use super::Findings;

/// Crates that are a command line, or are there for tests only.
const COMMANDS: [&str; 4] =
    ["chunkref-cli", "chunkref-fuzzing", "chunkref-testkit", "chunkref-testserver"];

/// Check one file, if it is source of a library; tests may name what they like.
pub(super) fn check(path: &str, text: &str, findings: &mut Findings) {
    let Some((name, file)) = path.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/"))
    else {
        return;
    };
    let Some(module) = file.strip_suffix(".rs") else { return };
    if COMMANDS.contains(&name) || module.ends_with("tests") {
        return;
    }
    for (line, literal) in literals(text) {
        if let Some(flag) = flag_in(literal) {
            findings.fault(
                path,
                format!("line {line}: a message names the flag {flag}; use a `Resolution`"),
            );
        }
    }
}

/// The first word that begins like a flag.
fn flag_in(text: &str) -> Option<&str> {
    let begins = |&(at, _): &(usize, &str)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + 2..).and_then(|after| after.chars().next());
        before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '-')
            && after.is_some_and(|letter| letter.is_ascii_lowercase())
    };
    let (at, _) = text.match_indices("--").find(begins)?;
    let rest = text.get(at..)?;
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    rest.get(..end.unwrap_or(rest.len()))
}

/// The string literals before the tests of a file, each with its line. Comments are none, and neither are characters.
pub(super) fn literals(text: &str) -> Vec<(usize, &str)> {
    let end = text.find("\nmod tests {").unwrap_or(text.len());
    let mut rest = text.get(..end).unwrap_or_default();
    let line =
        |rest: &str| text.get(..end - rest.len()).unwrap_or_default().matches('\n').count() + 1;
    let mut found = Vec::new();
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, from) = rest.split_at(at);
        if let Some(comment) = from.strip_prefix("//") {
            rest = comment.find('\n').and_then(|end| comment.get(end..)).unwrap_or_default();
        } else if let Some(content) = from.strip_prefix('"') {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let raw = before.trim_end_matches('#').ends_with('r');
            let closing = format!("\"{}", "#".repeat(if raw { hashes } else { 0 }));
            let length = if raw { content.find(&closing) } else { end_of_string(content) };
            let length = length.unwrap_or(content.len());
            found.push((line(from), content.get(..length).unwrap_or_default()));
            rest = content.get(length + closing.len()..).unwrap_or_default();
        } else if ["'\"'", "'/'", "'\\"].iter().any(|start| from.starts_with(start)) {
            rest = from.get(3..).unwrap_or_default();
        } else {
            rest = from.get(1..).unwrap_or_default();
        }
    }
    found
}

/// Where the quote is that ends a string with escapes.
fn end_of_string(content: &str) -> Option<usize> {
    let mut escaped = false;
    content.char_indices().find_map(|(at, letter)| {
        if letter == '"' && !escaped {
            return Some(at);
        }
        escaped = letter == '\\' && !escaped;
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        check(path, text, &mut findings);
        findings.faults
    }

    #[test]
    fn messages_of_libraries_name_no_flag() {
        let file = "crates/chunkref-store/src/web.rs";
        for text in [
            "fn a() {\n    fail(\"allow more with --deadline\")\n}",
            "#[error(\"build with `--features x`\")]",
            "let a = \"--sort\";",
            "let a = '\"'; let b = \"a \\\" --sort\";",
            "let a = r#\"a \" --sort\"#;",
            "// it's a comment\nlet a = \"see --sort, or\";",
            "fn a<'a>(b: &'a str) -> char { '\\'' } const C: &str = \"--x\";",
        ] {
            assert_eq!(faults(file, text).len(), 1, "{text}");
        }
        let one = faults(file, "a\nb\n\"use --on-conflict skip-file\"");
        assert_eq!(
            one,
            [format!("{file}: line 3: a message names the flag --on-conflict; use a `Resolution`")]
        );
    }

    #[test]
    fn what_is_no_flag_and_no_message_is_fine() {
        let file = "crates/chunkref-store/src/web.rs";
        for text in [
            "// say --sort\n/// `--sort`\nlet a = 1; // \"--sort\"",
            "let a = \"a -- b, 2020--2021, ---\\n, x--y, --\";",
            "let a = \"fine\";\n#[cfg(test)]\nmod tests {\n    let a = \"--sort\";\n}",
            "let url = \"https://a\"; // --sort",
        ] {
            assert_eq!(faults(file, text), [""; 0], "{text}");
        }
        let message = "\"pass --anon\"";
        for path in [
            "crates/chunkref-cli/src/advice.rs",
            "crates/chunkref-combine/src/conflict_tests.rs",
            "tests/integration/cli.rs",
            "xtask/src/main.rs",
        ] {
            assert_eq!(faults(path, message), [""; 0], "{path}");
        }
        assert_eq!(faults("crates/chunkref-python/src/errors.rs", message).len(), 1);
    }
}

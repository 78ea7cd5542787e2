// SPDX-License-Identifier: MIT OR Apache-2.0
//! Links between documents lead to files and headings that are there.

use super::{Findings, Tree};

/// Check one document. The changelog tells of the past and is left alone.
pub(super) fn check(path: &str, text: &str, tree: &Tree, findings: &mut Findings) {
    let is_document = path.rsplit_once('.').is_some_and(|(_, ending)| ending == "md");
    if !is_document || path.ends_with("CHANGELOG.md") {
        return;
    }
    for link in links(text) {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (file, heading) = link.split_once('#').unwrap_or((link, ""));
        let Some(target) = resolved(path, file) else {
            findings.fault(path, format!("links to `{link}`, outside of the project"));
            continue;
        };
        let folder = format!("{target}/");
        let document = tree.get(&target).and_then(|content| str::from_utf8(content).ok());
        if document.is_none() && !tree.keys().any(|known| known.starts_with(&folder)) {
            findings.fault(path, format!("links to `{link}`, which is not there"));
        } else if !heading.is_empty()
            && document.is_some_and(|text| !headings(text).any(|known| known == heading))
        {
            findings.fault(path, format!("links to `{link}`, and there is no such heading"));
        }
    }
}

/// The targets of a document's links, outside of what is fenced or quoted.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines()
        .filter(move |line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
        .flat_map(|line| line.split('`').step_by(2))
        .flat_map(|piece| piece.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

/// A link's path from the root of the project.
fn resolved(document: &str, link: &str) -> Option<String> {
    if link.is_empty() {
        return Some(document.to_owned());
    }
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The anchors of a document's headings.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let titles = text.lines().filter(|line| line.starts_with('#'));
    titles.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let tree = planted(&[
            ("README.md", "# One: two\n"),
            ("docs/guide/a.md", text),
            ("docs/guide/b.md", "## What `x` may name\n"),
        ]);
        let mut findings = Findings::default();
        check("docs/guide/a.md", text, &tree, &mut findings);
        findings.faults
    }

    #[test]
    fn what_is_there_may_be_linked() {
        let text = "# Here\n[a](b.md), [b](b.md#what-x-may-name), [c](../../README.md#one-two), [d](#here), [e](../guide/)\n\
                    [f](https://example.com/x), `[g](gone.md)`\n```\n[h](gone.md)\n```\n";
        assert_eq!(faults(text), [""; 0]);
    }

    #[test]
    fn what_is_gone_may_not() {
        let text = "[a](docs/guide/b.md) [b](b.md#gone) [c](#gone) [d](../../../x.md)";
        assert_eq!(faults(text).len(), 4);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What expands to what, and what does not.

use proptest::prelude::*;

use super::*;

fn templates(all: &[(&str, &str)]) -> Result<Templates, ReadError> {
    Templates::new(
        all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
    )
}

fn expand(templates: &Templates, text: &str) -> Result<String, TemplateError> {
    expand_with(templates, text, &[])
}

fn expand_with(
    templates: &Templates,
    text: &str,
    variables: &[(&str, Value)],
) -> Result<String, TemplateError> {
    let names: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
    let values: Vec<_> = variables.iter().map(|(_, value)| value.clone()).collect();
    let (mut budget, mut out) = (Budget::new(1 << 20), String::new());
    templates.compile(text, &names)?.expand(&values, &mut budget, &mut out)?;
    Ok(out)
}

#[test]
fn names_calls_and_arithmetic() {
    let known = templates(&[
        ("u", "s3://bucket/path"),
        ("f", "{{c}}/{{d}}"),
        ("é_1", "x"),
        ("z", "{{''}}"),
    ]);
    let known = known.unwrap();
    for (text, expected) in [
        ("plain }} text {", "plain }} text {"),
        ("{{u}}", "s3://bucket/path"),
        ("{{ u }}/x.nc", "s3://bucket/path/x.nc"),
        ("{{é_1}}{{ \"it's\" }}{{'}}'}}{{'{{u}}'}}", "xit's}}{{u}}"),
        (r"{{'a\'b\\'}}", r"a'b\"),
        ("{{f(c='text', d=2)}}", "text/2"),
        ("{{ f ( c = u , d = '<&>' , ) }}", "s3://bucket/path/<&>"),
        ("{{f(c='{{u}}',d=f(c=1,d='y'),e=5)}}", "{{u}}/1/y"),
        ("{{z()}}", ""),
        ("{{1 + 2 * 3 - (4 - 1)}}", "4"),
        ("{{7 // 2}} {{ -7 // 2}} {{ -7 % 3}} {{ +0}} {{ - - 5}}", "3 -4 2 0 5"),
        ("{{10-2-3}} {{2*3*4//5%3}}", "5 1"),
        ("{{9223372036854775807 * 2}}", "18446744073709551614"),
    ] {
        assert_eq!(expand(&known, text).as_deref(), Ok(expected), "{text}");
    }
    let variables = [("i", Value::Integer(4)), ("name", Value::Text("2t".into()))];
    let text = "{{u}}/{{name}}.{{i}}.{{(i + 1) * 1000}}";
    assert_eq!(expand_with(&known, text, &variables).unwrap(), "s3://bucket/path/2t.4.5000");
}

#[test]
fn what_does_not_expand_is_an_error_that_says_why() {
    let known = templates(&[("u", "x"), ("f", "{{c}}")]).unwrap();
    for (text, reason) in [
        ("{{missing}}", "no \"missing\""),
        ("{{f()}}", "does not give the argument \"c\""),
        ("{{f(c=1,c=2)}}", "twice"),
        ("{{f}}", "call it as f("),
        ("{{f(c=f)}}", "call it as f("),
        ("{{u(c=1)}}", "takes no arguments"),
        ("{{g(c=1)}}", "no \"g\""),
        ("{{f('a')}}", "without a name"),
        ("{{f(c==1)}}", "without a name"),
        ("{{f(temp='a')}}", "temp"),
        ("{{u", "}} should be here"),
        ("{{", "a name"),
        ("{{}}", "a name"),
        ("{{f(c=1}}", "a comma"),
        ("{{(1}}", "or )"),
        ("{{'a}}", "a quote"),
        ("{{u}}{% for i in u %}{% endfor %}", "a statement"),
        ("{{u}}{# c #}", "a comment"),
        ("{{u}}\n", "a line break"),
        ("{{'\n'}}", "a line break"),
        ("{{- u}}", "white space"),
        ("{{u -}}", "white space"),
        ("{{u|upper}}", "a filter"),
        ("{{u.__class__}}", "an attribute"),
        ("{{u[0]}}", "a list or an index"),
        ("{{[1]}}", "a list or an index"),
        ("{{{u}}}", "a dictionary"),
        ("{{u ~ u}}", "~"),
        ("{{u == u}}", "comparison"),
        ("{{1, 2}}", "tuple"),
        ("{{2**9}}", "a power"),
        ("{{1/2}}", "//"),
        ("{{u if u else u}}", "a word"),
        ("{{not u}}", "this word"),
        ("{{true}}", "this word"),
        ("{{None}}", "this word"),
        ("{{range(5)}}", "no \"range\""),
        ("{{'a' 'b'}}", "joining texts"),
        (r"{{'\n'}}", "this escape"),
        (r"{{'\x41'}}", "this escape"),
        ("{{1.5}}", "not whole"),
        ("{{0x1}}", "not whole"),
        ("{{007}}", "leading zeros"),
        ("{{1_0}}", "underscores"),
        ("{{u + 1}}", "whole numbers"),
        ("{{u * 90000}}", "whole numbers"),
        ("{{ -u}}", "whole numbers"),
        ("{{ +u}}", "whole numbers"),
        ("{{'a' * 999999999999}}", "whole numbers"),
        ("{{1//0}}", "zero"),
        ("{{1 % 0}}", "zero"),
        ("{{99999999999999999999999999999999999999999}}", "128 bits"),
        ("{{99999999999999999999999999 * 99999999999999999999999999}}", "128 bits"),
    ] {
        let error = expand(&known, text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
    assert!(templates(&[("f", "{{a}}{% set a = 1 %}")]).is_err());
    assert!(templates(&[("f", "{{g(a=1)}}"), ("g", "{{a}}")]).is_err());
    let both = expand_with(&known, "{{u}}", &[("u", Value::Integer(1))]);
    assert_eq!(both, Err(TemplateError::Ambiguous { name: "u".to_owned() }));
}

#[test]
fn depth_length_and_work_are_bounded() {
    let known = templates(&[("u", "x"), ("long", &"y".repeat(4000)), ("f", "{{c}}")]).unwrap();
    for inner in ["(", "-", "+", "f(c=", "+("] {
        let deep = format!("{{{{ {}", inner.repeat(10_000));
        assert!(matches!(expand(&known, &deep), Err(TemplateError::TooDeep { .. })), "{inner}");
    }
    let chained = format!("{{{{1{}}}}}", "+1".repeat(30_000));
    assert_eq!(expand(&known, &chained).unwrap(), "30001");
    let long = "{{u}}".repeat(20_000);
    assert!(matches!(expand(&known, &long), Err(TemplateError::TooLong { .. })));
    let much = "{{long}}".repeat(17);
    assert!(matches!(expand(&known, &much), Err(TemplateError::ResultTooLong { .. })));
    let many: Vec<_> = (0..100).map(|number| format!("{{{{a{number}}}}}")).collect();
    assert!(templates(&[("f", &many.concat())]).is_err());

    let text = known.compile("{{f(c=long)}}", &[]).unwrap();
    let (mut budget, mut out, mut times) = (Budget::new(100_000), String::new(), 0);
    let error = loop {
        match text.expand(&[], &mut budget, &mut out) {
            Ok(()) => times += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, TemplateError::LimitExceeded { limit: 100_000 });
    assert_eq!(times, 12);

    let body = format!("{{{{c}}}}{}", "z".repeat(60_000));
    let all: Vec<_> = (0..100).map(|number| (format!("f{number}"), body.clone())).collect();
    assert!(Templates::new(all).is_err());
}

/// Text of the alphabet that the grammar is made of.
fn anything() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{{", "}}", "{", "}", "(", ")", "u", "f", "c", "i", "=", ",", "'", "\"", "\\", "+", "-",
        "*", "//", "%", "/", "0", "1", "9", " ", "|", ".", "[", "]", "~", "not", "é", "\u{301}",
        "\n",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn no_text_does_harm(template in anything(), text in anything(), i in any::<i64>()) {
        let Ok(known) = templates(&[("u", "x"), ("f", &template)]) else { return Ok(()) };
        let value = [("i", Value::Integer(i128::from(i)))];
        if let Ok(expanded) = expand_with(&known, &text, &value) {
            prop_assert!(expanded.len() <= MAX_RESULT_BYTES);
            if !text.contains("{{") {
                prop_assert_eq!(expanded, text);
            }
        }
    }
}

//! Templates: what Anki's own library is not asked about (`outside.rs` compares with it), and what is refused.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use anki::model::{Note, NoteKind, NoteType, Template};
use anki::template::{Hint, Rendered, Shape, TemplateError, deletions, render, shape};

fn note_type(kind: NoteKind, fields: &[&str], templates: &[(&str, &str)]) -> NoteType {
    let template = |(question, answer): &(&str, &str)| Template {
        name: "Card".to_owned(),
        question: (*question).to_owned(),
        answer: (*answer).to_owned(),
    };
    NoteType {
        id: 1,
        name: "Type".to_owned(),
        kind,
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        sort_field: 0,
        templates: templates.iter().map(template).collect(),
        css: String::new(),
        latex_header: String::new(),
        latex_footer: String::new(),
    }
}

fn standard(question: &str, answer: &str, values: &[&str]) -> Result<Rendered, TemplateError> {
    let fields = ["A", "B", "C"];
    let note_type = note_type(NoteKind::Standard, &fields, &[(question, answer)]);
    render(&note_type, &note(values), 0)
}

fn note(values: &[&str]) -> Note {
    Note {
        id: 1,
        guid: "g".to_owned(),
        note_type: 1,
        modified: 0,
        tags: vec!["x".to_owned(), "y".to_owned()],
        fields: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn cloze(text: &str, ordinal: u32) -> Rendered {
    let sides = ("{{cloze:A}}", "{{cloze:A}} {{type:cloze:A}}");
    let note_type = note_type(NoteKind::Cloze, &["A"], &[("{{cloze:A}}{{type:cloze:A}}", sides.1)]);
    render(&note_type, &note(&[text]), ordinal).unwrap()
}

#[test]
fn fields_conditions_and_filters_are_put_in() {
    for (template, expected) in [
        ("{{A}}-{{ B }}", "a-<i>b</i>"),
        ("{{text:B}}{{unknown:B}}", "b<i>b</i>"),
        ("{{#A}}yes{{/A}}{{^A}}no{{/A}}", "yes"),
        ("{{#C}}yes{{/C}}{{^C}}no {{#B}}{{B}}{{/B}}{{/C}}", "no <i>b</i>"),
        ("{{Tags}} {{Type}}{{FrontSide}}{{Deck}}", "x y Type"),
        ("open {{", "open {{"),
        ("{{A", "{{A"),
    ] {
        let found = standard(template, "", &["a", "<i>b</i>", " <br><div></div> "]).unwrap();
        assert_eq!(found.question, expected, "{template}");
    }
    let found = standard(
        "{{A}} {{hint:B}}{{type:C}}",
        "{{FrontSide}}|{{hint:B}}|{{type:C}}",
        &["a", "b", "<b>c</b>"],
    );
    assert_eq!(
        found.unwrap(),
        Rendered {
            question: "a ".to_owned(),
            answer: "a |b|<b>c</b>".to_owned(),
            typed: Some("c".to_owned()),
            hints: vec![Hint { name: "B".to_owned(), text: "b".to_owned() }],
        }
    );
}

#[test]
fn what_is_wrong_in_a_template_is_named() {
    let unbalanced = |name: &str| TemplateError::Unbalanced(name.to_owned());
    for (template, expected) in [
        ("{{Nothing}}".to_owned(), TemplateError::NoField("Nothing".to_owned())),
        ("{{#Nothing}}{{/Nothing}}".to_owned(), TemplateError::NoField("Nothing".to_owned())),
        ("{{#A}}".to_owned(), unbalanced("A")),
        ("{{/A}}".to_owned(), unbalanced("A")),
        ("{{#A}}{{#B}}{{/A}}{{/B}}".to_owned(), unbalanced("A")),
        ("{{#A}}".repeat(100_000), unbalanced("A")),
        ("{{A}}".repeat(2_000_000), TemplateError::TooLong(1 << 20)),
    ] {
        let found = standard(&template, "", &["a", "b", "c"]).unwrap_err();
        assert_eq!(found, expected);
        assert!(!found.to_string().is_empty());
    }
    let long = "x".repeat(1 << 20);
    let found = standard(&"{{A}}".repeat(1000), "", &[&long, "", ""]);
    assert_eq!(found, Err(TemplateError::TooLong(1 << 20)));
    let note_type = note_type(NoteKind::Standard, &["A"], &[("{{A}}", "")]);
    assert_eq!(render(&note_type, &note(&["a"]), 1), Err(TemplateError::NoTemplate(1)));
}

#[test]
fn deletions_are_hidden_and_marked() {
    let hidden = |shown: &str| format!("<span class=\"cloze\">{shown}</span>");
    for (text, ordinal, question, answer) in [
        ("{{c1::a}} {{c2::b}}", 0, format!("{} b", hidden("[...]")), format!("{} b", hidden("a"))),
        ("{{c1::a::tip}}", 0, hidden("[tip]"), hidden("a")),
        ("{{c1,3::é}}x", 2, format!("{}x", hidden("[...]")), format!("{}x", hidden("é"))),
        (
            "{{c1::a {{c2::b}} c}}",
            1,
            format!("a {} c", hidden("[...]")),
            format!("a {} c", hidden("b")),
        ),
        ("{{c1::a {{c2::b}} c}}", 0, hidden("[...]"), hidden("a b c")),
        (
            "é}} {{c1::{a}}} {{c0::z}}",
            0,
            format!("é}}}} {}}} {{{{c0::z}}}}", hidden("[...]")),
            format!("é}}}} {}}} {{{{c0::z}}}}", hidden("{a")),
        ),
        (
            "{{c1::a}} {{c2::open",
            0,
            format!("{} {{{{c2::open", hidden("[...]")),
            format!("{} {{{{c2::open", hidden("a")),
        ),
        ("{{c1::a}}", 4, String::new(), String::new()),
    ] {
        let found = cloze(text, ordinal);
        assert_eq!(found.question, question, "{text}");
        assert!(found.answer.starts_with(&answer), "{text}: {} for {answer}", found.answer);
    }
    assert_eq!(cloze("{{c1::<b>a</b>}} {{c1::c}}", 0).typed.as_deref(), Some("a, c"));
    assert_eq!(
        deletions("{{c3::a}} {{c1::b {{c2,12::c}}}} {{c1::d}} {{c0::e}} {{c501::f}} {{cx::g}}"),
        [1, 2, 3, 12]
    );
    // Time that is linear in the text.
    let hostile = "{{c1".repeat(200_000) + &"{{c1::".repeat(100_000) + &"}}".repeat(1000);
    assert_eq!(deletions(&hostile), [1]);
    cloze(&"{{c1::".repeat(100_000), 0);
}

#[test]
fn shapes_are_told_by_what_templates_do() {
    let standard = |fields: &[&str], templates: &[(&str, &str)]| {
        shape(&note_type(NoteKind::Standard, fields, templates))
    };
    let (a, b) = ("{{A}}", "{{B}}");
    let basic = Shape::Basic { front: 0, back: 1 };
    assert_eq!(standard(&["A", "B"], &[(a, b)]), basic);
    assert_eq!(standard(&["A", "B"], &[(a, "{{FrontSide}}<hr id=answer>\n{{B}}")]), basic);
    assert_eq!(
        standard(&["B", "A"], &[(a, "{{A}}<br/>{{B}}")]),
        Shape::Basic { front: 1, back: 0 }
    );
    assert_eq!(
        standard(&["A", "B"], &[(a, b), (b, a)]),
        Shape::BasicReversed { front: 0, back: 1 }
    );
    assert_eq!(
        standard(&["A", "B"], &[("{{A}} {{type:B}}", "{{FrontSide}}<hr>{{type:B}}")]),
        Shape::Typed { front: 0, back: 1 }
    );
    for (fields, templates) in [
        (&["A", "B"][..], &[(a, a)][..]),
        (&["A", "B"], &[("{{A}} text", b)]),
        (&["A", "B"], &[("{{#A}}{{A}}{{/A}}", b)]),
        (&["A", "B"], &[(a, b), (a, b)]),
        (&["A", "B", "C"], &[(a, b)]),
        (&["A", "B"], &[("{{A", b)]),
        (&["A", "B"], &[(a, "<script>x</script>{{B}}")]),
    ] {
        assert_eq!(standard(fields, templates), Shape::Other, "{templates:?}");
    }
    let cloze = |fields: &[&str], question: &str, answer: &str| {
        shape(&note_type(NoteKind::Cloze, fields, &[(question, answer)]))
    };
    assert_eq!(cloze(&["A"], "{{cloze:A}}", "{{cloze:A}}"), Shape::Cloze { text: 0, extra: None });
    assert_eq!(
        cloze(&["B", "A"], "{{cloze:A}}", "{{cloze:A}}<br>\n{{B}}"),
        Shape::Cloze { text: 1, extra: Some(0) }
    );
    assert_eq!(cloze(&["A", "B"], "{{cloze:A}}", "{{cloze:A}}"), Shape::Other);
}

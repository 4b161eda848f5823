use super::*;

fn piece(text: &str, value: Option<f64>) -> TextPiece {
    TextPiece { text: text.into(), value }
}

fn text(pieces: Vec<TextPiece>) -> HighlightedText {
    HighlightedText {
        title: "Integrated gradients".into(),
        subtitle: "baseline pad".into(),
        label: "positive".into(),
        probability: Some(0.972),
        pieces,
        note: String::new(),
    }
}

fn colored() -> HighlightedText {
    text(vec![piece("A", Some(0.0)), piece(" ", None), piece("fine", Some(2.0)), piece(" mess", Some(-1.0))])
}

#[test]
fn the_strongest_piece_gets_the_last_color_and_opposite_signs_opposite_hues() {
    let ansi = highlight_ansi(&colored()).unwrap();
    let [r, g, b] = Palette::Diverging.color(1.0);
    assert!(ansi.contains(&format!("48;2;{r};{g};{b}m")), "{ansi:?}");
    let [r, _, b] = ground(-1.0, 2.0);
    assert!(b > r);
    // Red for, blue against, whatever the scale; without any value, all is pale.
    assert_eq!(ground(3.0, 3.0), ground(0.5, 0.5));
    assert!(ground(0.0, 0.0).iter().all(|byte| *byte >= 235));
}

#[test]
fn letters_can_be_read_on_every_ground() {
    let lightness = |color: Color| color.iter().map(|byte| f64::from(*byte)).sum::<f64>() / 3.0;
    for step in -20..=20 {
        let ground = ground(f64::from(step), 20.0);
        assert!((lightness(ground) - lightness(ink_on(ground))).abs() > 85.0, "{step}: {ground:?}");
    }
}

#[test]
fn a_text_cannot_steer_the_terminal_or_the_page() {
    let hostile = text(vec![piece("\x1b]0;x\x07</p><script>", Some(1.0)), piece("\u{0}", None)]);
    let ansi = highlight_ansi(&hostile).unwrap();
    assert_eq!(ansi.matches('\x1b').count(), 3);
    assert!(!ansi.contains('\x07') && !ansi.contains('\u{0}'));
    let html = highlight_html(&hostile).unwrap();
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    let svg = highlight_svg(&hostile).unwrap();
    resvg::usvg::roxmltree::Document::parse(&svg).unwrap();
}

#[test]
fn pages_hold_every_piece_with_its_value() {
    let html = highlight_html(&colored()).unwrap();
    assert!(html.contains(">fine</span>") && html.contains("title=\"mess: −1\""), "{html}");
    assert!(html.contains(&format!("positive, {}", percent(0.972))), "{html}");
    assert!(html.contains(&highlight_fragment(&colored()).unwrap()));
}

#[test]
fn long_texts_are_set_in_lines_that_fit_and_lose_nothing() {
    let words: Vec<TextPiece> =
        (0..120).flat_map(|i| [piece("word", Some(f64::from(i))), piece(" ", None)]).collect();
    let long = text([words, vec![piece(&"x".repeat(400), Some(1.0)), piece("\n\nend", None)]].concat());
    let svg = highlight_svg(&long).unwrap();
    let document = resvg::usvg::roxmltree::Document::parse(&svg).unwrap();
    let number = |node: resvg::usvg::roxmltree::Node<'_, '_>, name: &str| -> f64 {
        node.attribute(name).unwrap().parse().unwrap()
    };
    let grounds: Vec<_> = document.descendants().filter(|node| node.has_attribute("rx")).collect();
    assert!(grounds.len() > 120 + 1);
    for ground in &grounds {
        assert!(number(*ground, "x") + number(*ground, "width") <= 720.0 - 18.0 + 1e-6);
    }
    let told: String = document
        .descendants()
        .filter(|node| node.has_tag_name("title"))
        .skip(1)
        .filter_map(|t| t.text())
        .collect();
    assert_eq!(told.matches("word: ").count(), 120);
    assert_eq!(told.matches('x').count(), 400);
}

#[test]
fn what_is_no_number_or_nothing_is_refused() {
    let nan = text(vec![piece("a", Some(1.0)), piece("b", Some(f64::NAN))]);
    for result in [highlight_ansi(&nan), highlight_html(&nan), highlight_svg(&nan)] {
        assert!(result.unwrap_err().to_string().contains("NaN at index [1]"));
    }
    assert!(highlight_svg(&text(vec![])).unwrap_err().to_string().contains("no pieces of text"));
    let unsure = HighlightedText { probability: Some(1.5), ..colored() };
    assert!(highlight_html(&unsure).is_err());
}

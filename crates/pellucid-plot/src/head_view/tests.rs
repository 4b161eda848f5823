use ndarray::Array4;

use super::*;

fn weights() -> Array4<f64> {
    Array4::from_shape_vec((1, 2, 2, 2), vec![0.0, 0.5, 0.25, 0.1, 0.0, 0.0, 0.0, 0.0]).unwrap()
}

fn view(weights: &Array4<f64>) -> HeadView<'_> {
    HeadView {
        title: "Attention".into(),
        lead: String::new(),
        note: "a caution & a number".into(),
        tokens: ["[CLS]", "</script><b>"].map(str::to_owned).to_vec(),
        weights: weights.view(),
        token: 0,
        image: None,
    }
}

#[test]
fn weights_are_shares_of_the_largest_of_their_head() {
    let weights = weights();
    let packed = view(&weights).packed().unwrap();
    assert_eq!(packed.bytes, [0, 255, 128, 51, 0, 0, 0, 0]);
    assert_eq!(packed.largest, [0.5, 0.0]);
}

#[test]
fn the_page_needs_nothing_else_and_escapes_tokens() {
    let weights = weights();
    let html = head_view_html(&view(&weights)).unwrap();
    assert!(html.contains("data-weights=\"AP+AMwAAAAA=\"") && html.contains("data-largest=\"0.5 0\""));
    assert!(html.contains("a caution &amp; a number") && html.contains("&lt;/script&gt;&lt;b&gt;"));
    assert!(!html.contains("</script><b>") && !html.contains("http://") && !html.contains("https://"));
    assert_eq!(html.matches("class=\"head\"").count(), 2);
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let weights = weights();
    let refused = |view: &HeadView<'_>| head_view_html(view).unwrap_err().to_string();
    assert!(refused(&HeadView { tokens: vec!["a".into()], ..view(&weights) }).contains("expected 1"));
    let picture = Picture::new(1, 1, vec![0; 3]).unwrap();
    let image = Some(PatchedImage { picture, n_extra: 1, places: [2, 2] });
    assert!(refused(&HeadView { image, ..view(&weights) }).contains("the patches"));
    for (value, part) in [(-0.5, "-0.5"), (f64::NAN, "NaN")] {
        let mut broken = weights.clone();
        broken[[0, 1, 1, 0]] = value;
        assert!(refused(&view(&broken)).contains(part));
    }
}

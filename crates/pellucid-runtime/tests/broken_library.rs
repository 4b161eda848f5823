//! A library that is named and does not load. In a process of its own, since a process loads one library for good.

use std::path::PathBuf;

use pellucid_runtime::{Options, RuntimeChoice, doctor, runtime};

/// A text under the name of the library, away with the test.
struct Text(PathBuf);

impl Text {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("libonnxruntime.so.{}", std::process::id()));
        std::fs::write(&path, "this is no library")?;
        Ok(Self(path))
    }

    fn options(&self, choice: RuntimeChoice) -> Options {
        Options { choice, library: Some(self.0.clone()), ..Options::default() }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_broken_library_is_told_and_auto_goes_on_with_rten() {
    let text = Text::new().unwrap();
    let message = runtime(&text.options(RuntimeChoice::OnnxRuntime)).err().unwrap().to_string();
    let path = text.0.display().to_string();
    for part in ["does not load", &path, "the library option", "pip install onnxruntime", "PELLUCID_ORT"] {
        assert!(message.contains(part), "{message}");
    }
    let auto = text.options(RuntimeChoice::Auto);
    assert!(runtime(&auto).unwrap().fingerprint().starts_with("rten "));
    let state = doctor(&auto);
    assert!(state.used.unwrap().starts_with("rten "));
    assert!(state.why.contains(&path), "{}", state.why);
    assert!(state.onnxruntime.unwrap_err().contains(&path));

    let absent = Options {
        library: Some("/nowhere/libonnxruntime.so".into()),
        ..text.options(RuntimeChoice::OnnxRuntime)
    };
    let message = runtime(&absent).err().unwrap().to_string();
    assert!(
        message.starts_with("no ONNX Runtime library at /nowhere/libonnxruntime.so (the library option)"),
        "{message}"
    );
}

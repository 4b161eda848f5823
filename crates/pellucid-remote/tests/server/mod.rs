//! A server of a few lines, which keeps what it is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A question's first line, its headers, and its body.
pub(crate) type Question = (String, String, String);

/// Serves on a port of its own: `answer` gets a question's number and text, and gives status, further headers and body.
pub(crate) fn serve(
    answer: impl Fn(usize, &Question) -> (u16, &'static str, String) + Send + 'static,
) -> (String, Arc<Mutex<Vec<Question>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let host = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let question = read(&stream);
            let number = seen.lock().expect("no panic").len();
            let (status, headers, body) = answer(number, &question);
            seen.lock().expect("no panic").push(question);
            let length = body.len();
            let text = format!(
                "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
            );
            let _ = stream.write_all(text.as_bytes());
        }
    });
    (host, asked)
}

fn read(stream: &std::net::TcpStream) -> Question {
    let mut reader = BufReader::new(stream);
    let (mut first, mut headers, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut first).expect("a line");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        if line.trim().is_empty() {
            break;
        }
        if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().expect("a length");
        }
        headers += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    (first, headers, String::from_utf8(body).expect("text"))
}

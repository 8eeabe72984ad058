//! A stand-in for the management API: one answer for each call, and a record of the calls.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

/// A call as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub line: String,
    pub headers: Vec<String>,
    pub body: String,
}

/// A server that gives its answers in order.
pub struct Stub {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Stub {
    /// Serves these answers, a status line's rest (`200 OK`) and a body each.
    pub fn new(answers: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<_> = answers.iter().map(|(status, body)| format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )).collect();
        let seen = Arc::clone(&calls);
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut lines = reader.by_ref().lines().map(Result::unwrap);
                let mut call = Call {
                    line: lines.next().unwrap(),
                    ..Call::default()
                };
                call.headers = lines
                    .take_while(|line| !line.is_empty())
                    .map(|line| line.to_ascii_lowercase())
                    .collect();
                let length = call
                    .headers
                    .iter()
                    .find_map(|header| header.strip_prefix("content-length: "));
                let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                reader.read_exact(&mut body).unwrap();
                call.body = String::from_utf8(body).unwrap();
                seen.lock().unwrap().push(call);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { url, calls }
    }

    /// What has been called so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

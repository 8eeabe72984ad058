//! A stand-in for the management API, and a record of its calls: with one answer for each call, or
//! with a function that answers.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A call as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub line: String,
    pub headers: Vec<String>,
    pub body: String,
}

/// What is answered.
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "not every test needs everything")]
pub enum Reply {
    /// A status line's rest (`200 OK`), further headers and a body.
    Answer(String, Vec<String>, String),
    /// The connection is closed without an answer.
    Lost,
    /// Nothing follows.
    Silence,
}

/// A server.
pub struct Stub {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

#[allow(dead_code, reason = "not every test needs everything")]
impl Call {
    /// A header's value, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        self.headers
            .iter()
            .find_map(|header| header.strip_prefix(&prefix))
    }

    /// The method and the path below `/_keyward/v1/` with the query.
    pub fn target(&self) -> String {
        self.line
            .replace("/_keyward/v1/", "")
            .replace(" HTTP/1.1", "")
    }
}

#[allow(dead_code, reason = "not every test needs everything")]
impl Reply {
    pub fn new(status: &str, body: &str) -> Self {
        if status.is_empty() {
            return Self::Lost;
        }
        Self::Answer(status.to_owned(), Vec::new(), body.to_owned())
    }

    pub fn ok(body: impl ToString) -> Self {
        Self::new("200 OK", &body.to_string())
    }

    /// A problem document.
    pub fn problem(status: u16, code: &str) -> Self {
        let body = format!(r#"{{"title":"No","status":{status},"code":"{code}"}}"#);
        Self::new(&format!("{status} No"), &body)
    }

    fn write(&self, stream: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Lost => Ok(()),
            Self::Silence => {
                // Until the other side leaves.
                let _ = stream.read(&mut [0]);
                Ok(())
            }
            Self::Answer(status, headers, body) => {
                let headers: String = headers
                    .iter()
                    .map(|header| format!("{header}\r\n"))
                    .collect();
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                )
            }
        }
    }
}

#[allow(dead_code, reason = "not every test needs everything")]
impl Stub {
    /// Serves these answers in order, a status line's rest (`200 OK`) and a body each. An empty
    /// status reads the call and closes the connection.
    pub fn new(answers: &[(&str, &str)]) -> Self {
        let mut answers: VecDeque<_> = answers
            .iter()
            .map(|(status, body)| Reply::new(status, body))
            .collect();
        Self::start(answers.len(), move |_| answers.pop_front().unwrap())
    }

    /// Answers every call.
    pub fn answering(answer: impl FnMut(&Call) -> Reply + Send + 'static) -> Self {
        Self::start(usize::MAX, answer)
    }

    fn start(calls: usize, mut answer: impl FnMut(&Call) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Call>>> = Arc::default();
        let stub = Self {
            url,
            calls: Arc::clone(&seen),
        };
        thread::spawn(move || {
            for _ in 0..calls {
                let (mut stream, _) = listener.accept().unwrap();
                // A caller that was killed has not said everything.
                let Ok(call) = read(&stream) else { continue };
                seen.lock().unwrap().push(call.clone());
                let reply = answer(&call);
                if matches!(reply, Reply::Silence) {
                    thread::spawn(move || reply.write(&mut stream));
                } else {
                    let _ = reply.write(&mut stream);
                }
            }
        });
        stub
    }

    /// What has been called so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> io::Result<Call> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut lines = reader.by_ref().lines();
    let line = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    let mut call = Call {
        line,
        ..Call::default()
    };
    for line in lines {
        match line? {
            line if line.is_empty() => break,
            line => call.headers.push(line.to_ascii_lowercase()),
        }
    }
    let length = call
        .headers
        .iter()
        .find_map(|header| header.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body)?;
    call.body = String::from_utf8(body).unwrap();
    Ok(call)
}

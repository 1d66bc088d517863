//! The rtl_tcp client against a server of this test on the loopback interface.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use megrez_source::{InputOptions, RtlTcp, RtlTcpOptions, Source};

fn options() -> InputOptions {
    InputOptions { rate_hz: Some(2.048e6), center_hz: Some(1_575.42e6), ..InputOptions::default() }
}

fn serve<T: Send + 'static>(behave: impl FnOnce(TcpStream) -> T + Send + 'static) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (address, std::thread::spawn(move || behave(listener.accept().unwrap().0)))
}

#[test]
fn greets_commands_and_receives() {
    let (address, server) = serve(|mut stream| {
        stream.write_all(b"RTL0\0\0\0\x05\0\0\0\x1d").unwrap();
        let mut commands = [0; 30];
        stream.read_exact(&mut commands).unwrap();
        // 1.5 blocks in odd portions.
        for chunk in vec![130u8; 2 * 30_720].chunks(777) {
            stream.write_all(chunk).unwrap();
        }
        commands
    });
    let tuner = RtlTcpOptions { gain_db: Some(29.7), correction_ppm: -2, bias_tee: true };
    let mut source = RtlTcp::connect(&address, &options(), &tuner).unwrap();
    assert_eq!(source.tuner(), 5);
    let lengths: Vec<usize> =
        std::iter::from_fn(|| source.next_block().unwrap().map(|b| b.samples.len())).collect();
    assert_eq!(lengths, [20_480, 10_240]);
    let commands = server.join().unwrap();
    let expected: [(u8, u32); 6] =
        [(0x02, 2_048_000), (0x01, 1_575_420_000), (0x05, -2i32 as u32), (0x03, 1), (0x04, 297), (0x0e, 1)];
    for (command, (number, value)) in commands.chunks(5).zip(expected) {
        assert_eq!((command[0], &command[1..]), (number, &value.to_be_bytes()[..]));
    }
}

#[test]
fn other_servers_are_refused() {
    let (address, server) = serve(|mut stream| stream.write_all(b"HTTP/1.1 400").unwrap());
    let error = RtlTcp::connect(&address, &options(), &RtlTcpOptions::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!("rtl_tcp://{address}: is no rtl_tcp server: its greeting does not begin with RTL0")
    );
    server.join().unwrap();
    let (address, server) = serve(drop);
    let error = RtlTcp::connect(&address, &options(), &RtlTcpOptions::default()).err().unwrap();
    assert!(error.to_string().starts_with(&format!("rtl_tcp://{address}: no greeting: ")), "{error}");
    server.join().unwrap();
}

#[test]
fn needs_rate_and_center_before_it_connects() {
    let options = InputOptions { rate_hz: None, ..options() };
    let error = RtlTcp::connect("127.0.0.1:1", &options, &RtlTcpOptions::default()).err().unwrap();
    assert!(error.to_string().contains("sample rate unknown"), "{error}");
}

//! Where the bytes of a file come from: plain or gzip, line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::RinexError;

/// The input with the bytes in front that were looked at to learn how it is packed.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Opens a file.
pub(crate) fn open(path: &Path) -> Result<File, RinexError> {
    File::open(path).map_err(|source| RinexError::Open { path: path.to_path_buf(), source })
}

/// The first line of a file; empty if it has none.
pub(crate) fn first<R: BufRead>(lines: &mut Lines<R>) -> Result<&[u8], RinexError> {
    lines.next().map_err(|source| RinexError::Read { line: 0, source })?;
    Ok(lines.line())
}

/// Bytes buffered between the input and the lines.
const BUFFER: usize = 1 << 16;

/// A file's contents, unpacked.
#[derive(Debug)]
pub(crate) enum Unpacked<R: Read> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
}

impl<R: Read> Unpacked<R> {
    /// Looks at the first bytes of `input` to learn how it is packed.
    pub(crate) fn new(mut input: R) -> Result<Self, RinexError> {
        let mut magic = Vec::with_capacity(3);
        input
            .by_ref()
            .take(3)
            .read_to_end(&mut magic)
            .map_err(|source| RinexError::Read { line: 0, source })?;
        let packer = match *magic.as_slice() {
            [0x1f, 0x9d, ..] => Some("compress (.Z)"),
            [b'B', b'Z', b'h'] => Some("bzip2"),
            [b'P', b'K', 3] => Some("zip"),
            [0xfd, b'7', b'z'] => Some("xz"),
            _ => None,
        };
        if let Some(packer) = packer {
            return Err(RinexError::Packed { packer });
        }
        let gzip = magic.starts_with(&[0x1f, 0x8b]);
        let whole = Cursor::new(magic).chain(input);
        Ok(if gzip { Self::Gzip(Box::new(MultiGzDecoder::new(whole))) } else { Self::Plain(whole) })
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Gzip(input) => input.read(buffer),
        }
    }
}

/// Lines of bytes, numbered, without line ends and the blanks before them.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    /// Bytes kept of one line; the rest is dropped.
    limit: usize,
    /// The line at hand is to be given once more.
    again: bool,
    /// Lines read so far.
    pub(crate) count: usize,
}

impl<R: Read> Lines<BufReader<Unpacked<R>>> {
    /// The lines of a plain or gzip file, cut at `limit` bytes.
    pub(crate) fn unpack(input: R, limit: usize) -> Result<Self, RinexError> {
        let input = BufReader::with_capacity(BUFFER, Unpacked::new(input)?);
        Ok(Self { input, line: Vec::new(), limit, again: false, count: 0 })
    }
}

impl<R: BufRead> Lines<R> {
    /// Gives the line at hand once more at the next call of [`Lines::next`].
    pub(crate) fn put_back(&mut self) {
        self.again = true;
    }

    /// The line at hand.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    /// The next line; none at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if std::mem::take(&mut self.again) {
            return Ok(Some(&self.line));
        }
        self.line.clear();
        let limit = self.limit as u64;
        if self.input.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.count += 1;
        if self.line.last() != Some(&b'\n') && self.line.len() >= self.limit {
            self.input.skip_until(b'\n')?;
        }
        while self.line.last().is_some_and(|b| matches!(b, b'\n' | b'\r' | b' ' | 0)) {
            self.line.pop();
        }
        Ok(Some(&self.line))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn all(bytes: &[u8], limit: usize) -> Vec<Vec<u8>> {
        let mut lines = Lines::unpack(bytes, limit).unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(line.to_vec());
        }
        assert_eq!(lines.count, all.len());
        all
    }

    #[test]
    fn lines_end_in_every_way_and_are_cut() {
        assert_eq!(all(b"ab \r\n\ncdefghij\nk", 4), [&b"ab"[..], b"", b"cdef", b"k"]);
        assert_eq!(all(b"", 4), Vec::<Vec<u8>>::new());
        let mut lines = Lines::unpack(&b"a\nb"[..], 9).unwrap();
        lines.next().unwrap();
        lines.put_back();
        assert_eq!(lines.next().unwrap().unwrap(), b"a");
        assert_eq!(lines.next().unwrap().unwrap(), b"b");
        assert_eq!(lines.count, 2);
    }

    #[test]
    fn other_packers_are_named() {
        let error = Lines::unpack(&b"\x1f\x9d\x90abc"[..], 9).unwrap_err().to_string();
        assert!(error.contains("compress (.Z)"), "{error}");
    }
}

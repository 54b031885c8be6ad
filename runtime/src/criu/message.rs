//! As much of protocol buffers as criu's requests and answers need: fields with a number, each an integer of seven bits
//! a byte or so many bytes. <https://protobuf.dev/programming-guides/encoding/>

/// Wire types: an integer, and bytes behind their length.
const INTEGER: u64 = 0;
const BYTES: u64 = 2;

/// A message that is being written.
#[derive(Debug, Default, Clone)]
pub struct Message(Vec<u8>);

/// The value of a field that was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// An integer.
    Integer(u64),
    /// Text, or a message.
    Bytes(&'a [u8]),
}

impl Message {
    /// Adds an integer.
    pub fn integer(&mut self, field: u64, value: u64) -> &mut Self {
        self.varint(field << 3 | INTEGER);
        self.varint(value);
        self
    }

    /// Adds a boolean, if it is true: false is the default of all that criu has.
    pub fn flag(&mut self, field: u64, value: bool) -> &mut Self {
        if value { self.integer(field, 1) } else { self }
    }

    /// Adds text.
    pub fn text(&mut self, field: u64, value: impl AsRef<[u8]>) -> &mut Self {
        let value = value.as_ref();
        self.varint(field << 3 | BYTES);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    /// Adds a message.
    pub fn message(&mut self, field: u64, value: &Self) -> &mut Self {
        self.text(field, &value.0)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// The fields of a message; nothing when it is none.
pub fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = match key & 7 {
            INTEGER => Value::Integer(varint(&mut bytes)?),
            BYTES => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (value, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Value::Bytes(value)
            }
            _ => return None,
        };
        fields.push((key >> 3, value));
    }
    Some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_protocol_buffers() {
        // The examples of the encoding's own guide.
        assert_eq!(Message::default().integer(1, 150).bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").bytes(), b"\x12\x07testing");
        let mut inner = Message::default();
        inner.integer(1, 150);
        assert_eq!(Message::default().message(3, &inner).flag(4, false).bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
    }

    #[test]
    fn what_was_written_is_read() {
        let mut message = Message::default();
        message.integer(53, u64::MAX).text(7, "x").flag(2, true);
        let read = fields(message.bytes()).unwrap();
        assert_eq!(read, [(53, Value::Integer(u64::MAX)), (7, Value::Bytes(b"x")), (2, Value::Integer(1))]);
        for torn in [&b"\x12\x07test"[..], b"\x08\x96", b"\x0b"] {
            assert_eq!(fields(torn), None, "{torn:?}");
        }
    }
}

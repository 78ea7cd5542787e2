// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header: magic, version, its length, and a dictionary of Python with three entries.

use chunkref_core::Cursor;
use chunkref_core::model::DataType;
use chunkref_core::model::zarr::v2::data_type;

/// How files begin.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";
/// Bytes that the header of most files has: NumPy pads it to a multiple of 64.
pub(crate) const USUAL_BYTES: u64 = 128;

/// What the dictionary says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    descr: String,
    fortran_order: bool,
    /// Elements along each axis.
    pub(crate) shape: Vec<u64>,
}

/// Bytes from the start of the file to its values.
pub(crate) fn length(head: &[u8]) -> Result<u64, String> {
    let mut cursor = Cursor::new(head, 0, "header");
    let text = |error: chunkref_core::Truncated| error.to_string();
    cursor.bytes(MAGIC.len()).map_err(text)?;
    let major = cursor.u8().map_err(text)?;
    cursor.u8().map_err(text)?;
    let length = match major {
        1 => u64::from(cursor.u16_le().map_err(text)?),
        2 | 3 => u64::from(cursor.u32_le().map_err(text)?),
        _ => return Err(format!("header at byte 6: version {major} is not known")),
    };
    Ok(cursor.offset().saturating_add(length))
}

impl Header {
    /// Of the bytes up to the values.
    pub(crate) fn parse(head: &[u8]) -> Result<Self, String> {
        let start = if head.get(6) == Some(&1) { 10 } else { 12 };
        let end = usize::try_from(length(head)?).unwrap_or(usize::MAX);
        let Some(text) = head.get(start..end) else {
            return Err(format!(
                "header at byte {start}: {} bytes needed, {} left",
                end - start,
                head.len() - start
            ));
        };
        let text = String::from_utf8_lossy(text);
        let value = |name: &str| {
            let rest = text.split_once(&format!("'{name}':")).map(|(_, rest)| rest.trim_start());
            rest.ok_or_else(|| format!("header at byte {start}: there is no entry {name:?}"))
        };
        let descr = value("descr")?;
        let descr = match descr.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) {
            Some((name, _)) => name.to_owned(),
            // A list of fields.
            None => String::new(),
        };
        let fortran_order = value("fortran_order")?.starts_with("True");
        let shape = value("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let shape =
            shape.ok_or_else(|| format!("header at byte {start}: the shape is no tuple"))?.0;
        let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
        let lengths: Result<Vec<u64>, _> = lengths.map(str::parse).collect();
        let shape = lengths
            .map_err(|error| format!("header at byte {start}: the shape ({shape}): {error}"))?;
        if shape.len() > 32 {
            return Err(format!(
                "header at byte {start}: {} axes, and NumPy has at most 32",
                shape.len()
            ));
        }
        Ok(Self { descr, fortran_order, shape })
    }

    /// The type, and how many bytes all values have; or why references cannot represent them.
    pub(crate) fn layout(&self) -> Result<(DataType, u64), String> {
        if self.fortran_order && self.shape.len() > 1 {
            return Err("its values are in Fortran order: save it in C order".to_owned());
        }
        let dtype = match self.descr.as_str() {
            "" => {
                return Err("it is of a structured type, which this example leaves out".to_owned());
            }
            name if name.ends_with('O') => {
                return Err("it holds objects of Python, which only pickle reads".to_owned());
            }
            name => data_type(name).map_err(|error| error.to_string())?,
        };
        let element = dtype.length_bytes().ok_or("its elements have no fixed length")?;
        let bytes = self.shape.iter().try_fold(element, |bytes, &length| bytes.checked_mul(length));
        Ok((dtype, bytes.ok_or("its shape is larger than any file")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_numpy_writes_is_read() {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n";
        let mut head =
            [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat();
        let header = Header::parse(&head).unwrap();
        assert_eq!(
            (length(&head), header.shape.as_slice()),
            (Ok(10 + text.len() as u64), &[3, 4][..])
        );
        assert_eq!(header.layout().unwrap().1, 48);
        head.truncate(40);
        assert!(Header::parse(&head).unwrap_err().contains("left"));
        assert!(length(b"\x93NUMPY\x09\x00").unwrap_err().contains("version 9"));
    }
}

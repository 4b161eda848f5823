//! NumPy's `.npy` bytes → array → bytes. Made for files of strangers: lengths are checked before memory is taken.

use std::io::{Read, Seek, SeekFrom};

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

const MAGIC: &[u8] = b"\x93NUMPY";

/// What an element of a `.npy` file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ElementFormat {
    kind: u8,
    n_bytes: usize,
    big_endian: bool,
}

/// The numbers of a `.npy` file as `f64`: booleans, integers and floats of any size and byte order, C or Fortran order.
///
/// # Errors
/// In words, what is wrong with the bytes.
pub(crate) fn parse(bytes: &[u8]) -> Result<ArrayD<f64>, String> {
    let (header, data) = split(bytes)?;
    let (format, fortran_order, shape) = (element_format(header)?, fortran_order(header)?, shape(header)?);
    check_length(&shape, format, data.len() as u64)?;
    let elements = numbers(data, format)?;
    let shape = IxDyn(&shape);
    ArrayD::from_shape_vec(shape.set_f(fortran_order), elements).map_err(|error| error.to_string())
}

/// Longer headers of files that are read row by row are refused; NumPy's take some 100 bytes.
const MAX_HEADER_BYTES: u64 = 1 << 17;

/// The rows of a `.npy` file in C order that holds a table, read as they come.
pub(crate) struct Rows<R> {
    elements: R,
    format: ElementFormat,
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
}

impl<R: Read + Seek> Rows<R> {
    /// `None` for an array of other axes or in Fortran order.
    ///
    /// # Errors
    /// In words, what is wrong with the bytes.
    pub(crate) fn open(mut file: R) -> Result<Option<Self>, String> {
        let said = |error: std::io::Error| error.to_string();
        let mut head = Vec::new();
        (&mut file).take(MAX_HEADER_BYTES).read_to_end(&mut head).map_err(said)?;
        let (header, data) = split(&head)?;
        let (format, shape) = (element_format(header)?, shape(header)?);
        let &[n_rows, n_columns] = shape.as_slice() else { return Ok(None) };
        if fortran_order(header)? {
            return Ok(None);
        }
        let start = (head.len() - data.len()) as u64;
        let n_bytes = file.seek(SeekFrom::End(0)).map_err(said)? - start;
        check_length(&shape, format, n_bytes)?;
        file.seek(SeekFrom::Start(start)).map_err(said)?;
        Ok(Some(Self { elements: file, format, n_rows, n_columns }))
    }

    /// The next `n` rows, of which there are as many, one after the other.
    ///
    /// # Errors
    /// In words, what the system reports; elements that are no numbers.
    pub(crate) fn read(&mut self, n: usize) -> Result<Vec<f64>, String> {
        let mut bytes = vec![0; n * self.n_columns * self.format.n_bytes];
        self.elements.read_exact(&mut bytes).map_err(|error| error.to_string())?;
        numbers(&bytes, self.format)
    }
}

/// The word that a `.npy` file holds: bytes or Unicode, without its padding.
///
/// # Errors
/// In words, what is wrong with the bytes.
pub(crate) fn word(bytes: &[u8]) -> Result<String, String> {
    let (header, data) = split(bytes)?;
    let descr = value(header, "descr")?;
    if !["'|S", "'<U", "'>U"].iter().any(|kind| descr.starts_with(kind)) {
        return Err("it is no text".to_owned());
    }
    // What pads a word, and the upper bytes of a plain letter in Unicode, are 0.
    Ok(data.iter().filter(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect())
}

fn check_length(shape: &[usize], format: ElementFormat, n_bytes: u64) -> Result<(), String> {
    let n = shape.iter().try_fold(1usize, |n, &length| n.checked_mul(length));
    let expected = n.and_then(|n| n.checked_mul(format.n_bytes)).ok_or("its shape is beyond all memory")?;
    if n_bytes != expected as u64 {
        return Err(format!(
            "its shape {shape:?} needs {expected} bytes, there are {n_bytes}; the file is cut off or broken"
        ));
    }
    Ok(())
}

fn numbers(bytes: &[u8], format: ElementFormat) -> Result<Vec<f64>, String> {
    let elements = bytes.chunks_exact(format.n_bytes).map(|element| number(element, format)).collect();
    let elements: Option<Vec<f64>> = elements;
    elements.ok_or_else(|| "its elements are no numbers".to_owned())
}

/// Header text and data.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let cut = || "the file is cut off in its header".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or("is no .npy file: its first bytes are others")?;
    let (version, rest) = rest.split_at_checked(2).ok_or_else(cut)?;
    let (length, rest) = match version[0] {
        1 => rest.split_first_chunk::<2>().map(|(n, rest)| (u16::from_le_bytes(*n) as usize, rest)),
        2 | 3 => rest.split_first_chunk::<4>().map(|(n, rest)| (u32::from_le_bytes(*n) as usize, rest)),
        other => return Err(format!("version {other} of the .npy format is not known")),
    }
    .ok_or_else(cut)?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is no text".to_owned())?;
    Ok((header, data))
}

/// What stands behind `'key':` in the header, a Python dict of three known keys.
fn value<'h>(header: &'h str, key: &str) -> Result<&'h str, String> {
    let missing = || format!("its header has no `{key}`");
    let at = header.find(&format!("'{key}'")).ok_or_else(missing)?;
    let behind = header[at + key.len() + 2..].trim_start();
    Ok(behind.strip_prefix(':').ok_or_else(missing)?.trim_start())
}

fn element_format(header: &str) -> Result<ElementFormat, String> {
    let text = value(header, "descr")?;
    let descr = text.strip_prefix('\'').and_then(|text| text.split_once('\'')).map(|(descr, _)| descr);
    let descr = descr.ok_or("it holds records with several fields; save one plain array")?;
    let unknown = || format!("its elements of type `{descr}` are no numbers; convert them to float32 first");
    let mut letters = descr.bytes();
    let big_endian = match letters.next() {
        Some(b'<' | b'|' | b'=') => false,
        Some(b'>') => true,
        _ => return Err(unknown()),
    };
    let kind = letters.next().ok_or_else(unknown)?;
    let n_bytes: usize = descr.get(2..).and_then(|size| size.parse().ok()).ok_or_else(unknown)?;
    match (kind, n_bytes) {
        (b'b', 1) | (b'i' | b'u', 1 | 2 | 4 | 8) | (b'f', 2 | 4 | 8) => {
            Ok(ElementFormat { kind, n_bytes, big_endian })
        }
        _ => Err(unknown()),
    }
}

fn fortran_order(header: &str) -> Result<bool, String> {
    match value(header, "fortran_order")? {
        text if text.starts_with("True") => Ok(true),
        text if text.starts_with("False") => Ok(false),
        _ => Err("its `fortran_order` is neither True nor False".to_owned()),
    }
}

fn shape(header: &str) -> Result<Vec<usize>, String> {
    let text = value(header, "shape")?;
    let inside = text.strip_prefix('(').and_then(|text| text.split_once(')')).map(|(inside, _)| inside);
    let inside = inside.ok_or("its `shape` is no tuple")?;
    let lengths = inside.split(',').map(str::trim).filter(|length| !length.is_empty());
    lengths.map(|n| n.parse().map_err(|_| format!("`{n}` in its shape is no length"))).collect()
}

fn number(element: &[u8], format: ElementFormat) -> Option<f64> {
    let mut bytes = [0; 8];
    let bytes = bytes.get_mut(..element.len())?;
    bytes.copy_from_slice(element);
    if format.big_endian {
        bytes.reverse();
    }
    let bytes = &*bytes;
    Some(match format.kind {
        b'b' => f64::from(u8::from(bytes[0] != 0)),
        b'f' if format.n_bytes == 2 => half::f16::from_le_bytes(bytes.try_into().ok()?).to_f64(),
        b'f' if format.n_bytes == 4 => f64::from(f32::from_le_bytes(bytes.try_into().ok()?)),
        b'f' => f64::from_le_bytes(bytes.try_into().ok()?),
        b'u' => unsigned(bytes) as f64,
        // Shifting up and down again repeats the sign.
        _ => {
            let unused = 64 - 8 * format.n_bytes as u32;
            ((unsigned(bytes) << unused) as i64 >> unused) as f64
        }
    })
}

fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// Elements that a `.npy` file can be made of.
pub(crate) trait Element: Copy {
    /// NumPy's name.
    const DESCR: &'static str;
    /// Little-endian bytes, appended.
    fn push(self, bytes: &mut Vec<u8>);
}

macro_rules! element {
    ($($ty:ty => $descr:literal),*) => {
        $(impl Element for $ty {
            const DESCR: &'static str = $descr;
            fn push(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        })*
    };
}
element!(f32 => "<f4", f64 => "<f8", i64 => "<i8", u8 => "|u1");

/// An array as the bytes of a `.npy` file, version 1.0, C order.
pub(crate) fn bytes<T: Element>(array: &ArrayD<T>) -> Vec<u8> {
    let mut bytes = header::<T>(array.shape());
    bytes.reserve(array.len() * size_of::<T>());
    array.iter().for_each(|&element| element.push(&mut bytes));
    bytes
}

/// What stands before the elements of an array of this shape.
pub(crate) fn header<T: Element>(shape: &[usize]) -> Vec<u8> {
    let lengths: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let header =
        format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", T::DESCR, lengths.trim_end());
    // Magic, version, length and header together fill whole blocks of 64 bytes; the last byte is a line's end.
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    let header = format!("{header}{}\n", " ".repeat(unpadded.next_multiple_of(64) - unpadded));
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes
}

#[cfg(test)]
mod tests;

//! Records and the headers of files, as bytes.

/// The longest record, in bytes: four times what may wait for the owner.
pub const RECORD_MAX_BYTES: usize = 256 * 1024 * 1024;
/// `length u32, crc32c u32, sequence u64`.
const HEAD: usize = 16;
/// `magic, version u32, length of the preface u32, crc32c of all of this and the preface u32`.
pub(super) const HEADER: usize = 20;

const MAGIC: [u8; 8] = *b"OBSVJRNL";
/// Raised with every change of what the files look like.
const VERSION: u32 = 1;

/// Writes a record behind what stands in `out`.
pub fn frame(out: &mut Vec<u8>, sequence: u64, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; HEAD - 8]);
    out.extend_from_slice(&sequence.to_le_bytes());
    write(out);
    let length = (out.len() - at - HEAD) as u32;
    let sum = crc32c::crc32c(&out[at + HEAD - 8..]);
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    out[at + 4..at + 8].copy_from_slice(&sum.to_le_bytes());
}

/// A record, and how many bytes it takes with its head.
pub(super) struct Found<'a> {
    pub(super) sequence: u64,
    pub(super) bytes: &'a [u8],
    pub(super) whole: usize,
}

/// The record at the front, if a good one stands there whose sequence is above `last`.
pub(super) fn parse(bytes: &[u8], last: u64) -> Option<Found<'_>> {
    let length = u32_at(bytes, 0)? as usize;
    let sequence = u64::from_le_bytes(bytes.get(8..HEAD)?.try_into().ok()?);
    // Looked at before the sum, which takes long where a wrong length is large.
    let likely = sequence > last && sequence - last < 1 << 32 && length <= RECORD_MAX_BYTES;
    let whole = HEAD + length;
    let summed = bytes.get(8..whole).filter(|_| likely)?;
    (crc32c::crc32c(summed) == u32_at(bytes, 4)?).then(|| Found { sequence, bytes: &bytes[HEAD..whole], whole })
}

/// The header of a file that has this preface behind it.
pub(super) fn header(preface: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..16].copy_from_slice(&(preface.len() as u32).to_le_bytes());
    let sum = crc32c::crc32c_append(crc32c::crc32c(&header[..16]), preface);
    header[16..].copy_from_slice(&sum.to_le_bytes());
    header
}

/// The preface of a file, where its header is good.
pub(super) fn preface(bytes: &[u8]) -> Option<&[u8]> {
    let known = bytes.starts_with(&MAGIC) && u32_at(bytes, 8)? == VERSION;
    let end = HEADER + u32_at(bytes, 12)? as usize;
    let preface = bytes.get(HEADER..end).filter(|_| known)?;
    let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..HEADER - 4]), preface);
    (sum == u32_at(bytes, 16)?).then_some(preface)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

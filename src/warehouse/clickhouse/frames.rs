//! ClickHouse's native frames (`decompress=1`): 16 bytes of checksum, a method, two sizes, and bytes packed by LZ4.
//!
//! A frame that was cut or damaged on its way does not pass for a shorter one: its checksum tells.

use bytes::Bytes;

/// Checksum, method, and the sizes packed (with these nine bytes) and plain.
const CHECKSUM: usize = 16;
const HEADER: usize = 9;
const LZ4: u8 = 0x82;

/// Bytes of one frame, at most.
const MOST: usize = 256 << 10;

/// What is sent at once. None of them is large: what is large is kept by the allocator when it is let go of.
pub(in crate::warehouse) type Frames = Vec<Bytes>;

/// Adds bytes as frames.
pub(super) fn add_frames(frames: &mut Frames, plain: &[u8]) -> Result<(), String> {
    for plain in plain.chunks(MOST) {
        frames.push(frame(plain)?);
    }
    Ok(())
}

/// Bytes as a frame.
fn frame(plain: &[u8]) -> Result<Bytes, String> {
    let mut frame = vec![0; CHECKSUM + HEADER + lz4_flex::block::get_maximum_output_size(plain.len())];
    let packed = lz4_flex::block::compress_into(plain, &mut frame[CHECKSUM + HEADER..]);
    frame.truncate(CHECKSUM + HEADER + packed.map_err(|error| error.to_string())?);
    let size = |length: usize| u32::try_from(length).map_err(|_| format!("{length} bytes are too many for one frame"));
    let (packed, plain) = (size(frame.len() - CHECKSUM)?, size(plain.len())?);
    let (checksum, rest) = frame.split_at_mut(CHECKSUM);
    rest[0] = LZ4;
    rest[1..5].copy_from_slice(&packed.to_le_bytes());
    rest[5..HEADER].copy_from_slice(&plain.to_le_bytes());
    // The high half goes first.
    checksum.copy_from_slice(&cityhash_rs::cityhash_102_128(rest).rotate_left(64).to_le_bytes());
    // Of what the format might have taken most is not needed.
    frame.shrink_to_fit();
    Ok(frame.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_what_the_format_says() {
        let plain = b"polytape ".repeat(100);
        let bytes = frame(&plain).unwrap();
        let size = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!((bytes[16], size(17), size(21)), (0x82, bytes.len() - 16, 900));
        assert_eq!(lz4_flex::block::decompress(&bytes[25..], 900).unwrap(), plain);
        // By the CityHash of Python's clickhouse-cityhash, of a frame that every encoder makes alike.
        let golden = [170, 225, 136, 213, 204, 253, 42, 77, 200, 30, 2, 109, 253, 29, 158, 229];
        let bytes = frame(b"abc").unwrap();
        assert_eq!((&bytes[..16], &bytes[25..]), (&golden[..], &b"0abc"[..]));
    }
}

//! A terminal of any size, and one whose size changes.

use super::rig::{Rig, Size, demo, lines};
use crate::support::process::Workplace;

#[test]
fn the_picture_fits_whatever_the_size_becomes() {
    let place = Workplace::new("");
    let mut rig = Rig::start(&demo(&place, &[]), (120, 40), &place);
    fits(&rig, (120, 40));
    for size in [(80, 24), (40, 10), (200, 60), (60, 14), (120, 40)] {
        rig.resize(size);
        fits(&rig, size);
    }
}

#[track_caller]
fn fits(rig: &Rig, (columns, height): Size) {
    rig.until(&format!("the picture fits into {columns}x{height}"), |screen| {
        let lines = lines(screen);
        if (columns, height) < (60, 14) {
            return lines.iter().any(|line| line.starts_with(&format!("need 60x14, have {columns}x{height}")))
                && !screen.contents().contains("Stages");
        }
        let (first, last) = (&lines[0], &lines[usize::from(height) - 1]);
        let others = &lines[..usize::from(height) - 1];
        let right = first.chars().count() - usize::from(first.ends_with(' '));
        first.starts_with(" polytape main")
            && right == usize::from(columns) - 1
            && last.contains("? help  q quit")
            && others.iter().all(|line| !line.contains("q quit"))
            && screen.contents().contains("1 Stages")
    });
}

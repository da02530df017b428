//! What is found of the store.

use std::path::Path;

use bytesize::ByteSize;

use super::line::Line;
use crate::sqlite::{DataDir, free_space};
use crate::units::thousands;
use crate::warehouse::{StoreSummary, counted_tables, inspect};

const STORE: &str = "store";

/// The directory beside Redis and ClickHouse, which keeps who this process is and its log. Said only where it cannot be used.
pub(super) fn data_dir(data_dir: &Path) -> Option<Line> {
    DataDir::check(data_dir).err().map(|error| Line::failed("data-dir", error))
}

/// Looks at the store in a directory, which need not be there. `served` is the world that the nodes show.
pub(super) fn store(data_dir: &Path, min_free: ByteSize, served: Option<&str>) -> Result<Line, Line> {
    DataDir::check(data_dir).map_err(|error| Line::failed(STORE, error))?;
    let file = DataDir::database_in(data_dir);
    let place = data_dir.display();
    let line = if file.exists() {
        let summary = inspect(&file).map_err(|error| Line::failed(STORE, format_args!("{place}: {error}")))?;
        summarised(&place.to_string(), summary, served)
    } else {
        Line::ok(STORE, format!("{place}: empty, the first run fills it"))
    };
    let unusable = |cause| Line::failed(STORE, format_args!("cannot use the data directory {place}: {cause}"));
    let line = match DataDir::holder(data_dir).map_err(unusable)? {
        None => line,
        Some(pid) => line.and(format_args!("polytape runs in it (pid {pid})")),
    };
    // The last ancestor of a relative path is empty.
    let mut dirs = data_dir.ancestors().map(|dir| if dir == Path::new("") { Path::new(".") } else { dir });
    let there = dirs.find(|dir| dir.exists()).unwrap_or(data_dir);
    Ok(match free_space(there) {
        Ok(free) if free < min_free => {
            let (free, least) = (free.display().iec_short(), min_free.display().iec_short());
            Line::failed(STORE, format_args!("{place}: only {free} free on its disk, storage.min_free is {least}"))
        }
        Ok(_) => line,
        Err(cause) => line.warn(format_args!("free space unknown: {cause}")),
    })
}

fn summarised(place: &str, summary: StoreSummary, served: Option<&str>) -> Line {
    let StoreSummary { rows, world, is_older } = summary;
    if is_older {
        return Line::ok(STORE, format!("{place}: of an older polytape, the next run brings it up to date"));
    }
    let told = counted_tables(&rows).map(|table| format!("{} {}", thousands(rows[table].rows), table.words()));
    let rows = told.collect::<Vec<_>>().join(", ");
    let of = world.as_deref().unwrap_or("nothing yet");
    if let (Some(stored), Some(served)) = (&world, served)
        && stored != served
    {
        return Line::failed(STORE, format_args!("{place}: holds {stored}, but the nodes serve {served}"));
    }
    Line::ok(STORE, format!("{place}: {of}: {rows}"))
}

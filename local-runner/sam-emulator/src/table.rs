//! Tables of aligned columns, for a terminal.

use std::fmt::Write;

/// Writes the rows under a header. The last column is not padded.
#[must_use]
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = header.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = line(&header, &widths);
    for row in rows {
        out.push_str(&line(&row.each_ref().map(String::as_str), &widths));
    }
    out
}

fn line<const N: usize>(cells: &[&str; N], widths: &[usize; N]) -> String {
    let mut out = String::new();
    for (cell, &width) in cells.iter().zip(widths) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{cell:width$}  ");
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

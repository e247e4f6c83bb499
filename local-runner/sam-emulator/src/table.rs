//! Aligned columns for people.

use std::fmt::Write;

/// Lays rows out under a head; every row has as many cells as the head. The last column is not padded.
#[must_use]
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = line(&head, &widths);
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

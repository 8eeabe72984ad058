//! From a byte in the text to the line and column that an editor shows.

/// The beginnings of a text's lines.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at.saturating_add(1));
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    /// The line and the column in characters, both from 1.
    pub(crate) fn position(&self, byte: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let before = self.text.get(start..byte).unwrap_or_default();
        (line, before.chars().count().saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn columns_are_counted_in_characters() {
        let lines = Lines::new("a\n\u{fc}b = 1\r\n\n");
        for (byte, position) in [
            (0, (1, 1)),
            (2, (2, 1)),
            (4, (2, 2)),
            (11, (3, 1)),
            (99, (4, 1)),
        ] {
            assert_eq!(lines.position(byte), position, "{byte}");
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the numbers of a chunk of SZ are.

/// What the numbers of a chunk of SZ 2 or SZ3 are, in the order in which these count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types of Rust")]
pub enum ElementType {
    F32,
    F64,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
}

impl ElementType {
    const ALL: [Self; 10] = [
        Self::F32,
        Self::F64,
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::U32,
        Self::I32,
        Self::U64,
        Self::I64,
    ];

    /// The type of this number in the parameters of SZ.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        usize::try_from(number).ok().and_then(|number| Self::ALL.get(number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_counted() {
        assert_eq!(ElementType::from_number(0), Some(ElementType::F32));
        assert_eq!(ElementType::from_number(9), Some(ElementType::I64));
        assert_eq!(ElementType::from_number(10), None);
    }
}

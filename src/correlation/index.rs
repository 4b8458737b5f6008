//! Finds records by the hashes of their keys: an open table of eight bytes a place.
//!
//! An entry holds half of the hash beside the record's place, so a look-up touches one line of memory before it
//! knows which record to compare, and the table grows without looking at any record.

/// No entry here. No record has the place in its low half.
const EMPTY: u64 = u64::MAX;
/// The smallest table.
const SMALLEST: usize = 16;

/// A table from hashes to the places of records.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The upper half of the hash, then the record's place; a power of two of them, or none at all.
    entries: Vec<u64>,
    len: usize,
}

impl Index {
    /// How many entries there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The places of all records, in no order that means anything.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().filter(|&&entry| entry != EMPTY).map(|&entry| entry as u32)
    }

    /// The entry at which the search for a hash begins; it means nothing, but now it is near.
    #[inline]
    pub(super) fn first_entry(&self, hash: u64) -> u64 {
        self.entries.get(self.home(hash)).copied().unwrap_or(EMPTY)
    }

    /// The record with this hash of which `is` says that it is the one.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let last = self.entries.len().wrapping_sub(1);
        let mut at = self.home(hash);
        // Never without an empty entry, unless it has none at all.
        while let Some(&entry) = self.entries.get(at)
            && entry != EMPTY
        {
            if entry >> 32 == hash >> 32 && is(entry as u32) {
                return Some(entry as u32);
            }
            at = (at + 1) & last;
        }
        None
    }

    /// Adds a record that is not in the table.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, place: u32) {
        if self.len >= self.entries.len() / 4 * 3 {
            self.grow();
        }
        self.len += 1;
        self.put(hash & !u64::from(u32::MAX) | u64::from(place));
    }

    /// Takes a record out.
    #[inline]
    pub(super) fn remove(&mut self, hash: u64, place: u32) {
        let wanted = hash & !u64::from(u32::MAX) | u64::from(place);
        let last = self.entries.len().wrapping_sub(1);
        let mut hole = self.home(hash);
        while let Some(&entry) = self.entries.get(hole)
            && entry != wanted
        {
            if entry == EMPTY {
                return;
            }
            hole = (hole + 1) & last;
        }
        // What stands behind moves up, so that no search stops too early.
        let mut at = (hole + 1) & last;
        while let Some(&entry) = self.entries.get(at)
            && entry != EMPTY
        {
            let (from_home, from_hole) = (at.wrapping_sub(self.home(entry)) & last, at.wrapping_sub(hole) & last);
            if from_home >= from_hole {
                self.entries[hole] = entry;
                hole = at;
            }
            at = (at + 1) & last;
        }
        self.entries[hole] = EMPTY;
        self.len -= 1;
    }

    /// Where the search for a hash begins: by its highest bits, so that a table keeps its order when it grows.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        (((hash >> 32) * self.entries.len() as u64) >> 32) as usize
    }

    #[inline]
    fn put(&mut self, entry: u64) {
        let last = self.entries.len() - 1;
        let mut at = self.home(entry);
        while self.entries[at] != EMPTY {
            at = (at + 1) & last;
        }
        self.entries[at] = entry;
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.entries.len() * 2).max(SMALLEST);
        for entry in std::mem::replace(&mut self.entries, vec![EMPTY; size]) {
            if entry != EMPTY {
                self.put(entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(steps in proptest::collection::vec((any::<bool>(), 0..40_u64, 0..3_u64), 0..400)) {
            let mut index = Index::default();
            let mut map = HashMap::new();
            for (insert, key, crowd) in steps {
                // Many share the upper half, or stand near the end of the table, where it wraps.
                let hash = [key << 60, u64::MAX - (key << 58), key << 32][crowd as usize];
                let place = (key * 3 + crowd) as u32;
                if insert && !map.contains_key(&place) {
                    index.insert(hash, place);
                    map.insert(place, hash);
                } else if !insert && map.remove(&place).is_some() {
                    index.remove(hash, place);
                }
                prop_assert_eq!(index.len(), map.len());
                for (&place, &hash) in &map {
                    prop_assert_eq!(index.find(hash, |other| other == place), Some(place));
                }
                prop_assert_eq!(index.find(hash, |other| other == place).is_some(), map.contains_key(&place));
                let mut places: Vec<_> = index.places().collect();
                places.sort_unstable();
                let mut expected: Vec<_> = map.keys().copied().collect();
                expected.sort_unstable();
                prop_assert_eq!(places, expected);
            }
        }
    }
}

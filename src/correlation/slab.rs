//! Records at fixed 32-bit places, re-used when they are given back.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

/// No record.
pub(super) const NONE: u32 = u32::MAX;

/// A vector whose places are re-used.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Slab<T> {
    records: Vec<T>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) fn new() -> Self {
        Self { records: Vec::new(), free: Vec::new() }
    }

    /// How many places there are, those that were given back included.
    pub(super) fn len(&self) -> u32 {
        self.records.len() as u32
    }

    /// Puts a record somewhere. What is stored is bounded by `max_tokens`, far below 2^32 places.
    #[inline]
    pub(super) fn insert(&mut self, record: T) -> u32 {
        if let Some(place) = self.free.pop() {
            self.records[place as usize] = record;
            return place;
        }
        self.records.push(record);
        self.records.len() as u32 - 1
    }

    /// The record at a place, if there is one.
    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&T> {
        self.records.get(place as usize)
    }

    /// Gives a place back; its record stays readable until the place is used again.
    #[inline]
    pub(super) fn remove(&mut self, place: u32) {
        self.free.push(place);
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, place: u32) -> &T {
        &self.records[place as usize]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, place: u32) -> &mut T {
        &mut self.records[place as usize]
    }
}

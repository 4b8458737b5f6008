//! How often somebody may try to log in: so many times at once, then now and then.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;

use crate::clock::SECOND_US;

/// Tries at once from one address, and how long until one more is granted.
const OF_ADDRESS: Rate = Rate { burst: 10, every_us: 10 * SECOND_US };
/// The same with one name, whoever tries: most of a guesser's addresses are not his own.
const OF_NAME: Rate = Rate { burst: 30, every_us: 60 * SECOND_US };
/// The most addresses and names that are remembered; beyond that the one that has waited longest is forgotten.
const REMEMBERED_MAX: usize = 10_000;

#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: u64,
    every_us: u64,
}

/// Counts the tries.
#[derive(Debug, Default)]
pub struct Throttle {
    /// By the hash of an address or a name: when all its tries will have been granted anew. What is not here has all.
    until_us: HashMap<u64, u64>,
    hasher: RandomState,
}

impl Throttle {
    /// Takes one try; the error is how long to wait for it, in whole seconds, one at least.
    pub fn take(&mut self, address: IpAddr, name: &str, now_us: u64) -> Result<(), u64> {
        self.until_us.retain(|_, until_us| *until_us > now_us);
        let tries = self.tries(address, name);
        let wait_us = tries.iter().map(|&(id, rate)| self.wait_us(id, rate, now_us)).max().unwrap_or(0);
        if wait_us > 0 {
            return Err(wait_us.div_ceil(SECOND_US));
        }
        for (id, rate) in tries {
            if self.until_us.len() >= REMEMBERED_MAX && !self.until_us.contains_key(&id) {
                self.forget_one();
            }
            let until_us = self.until_us.entry(id).or_insert(now_us);
            *until_us += rate.every_us;
        }
        Ok(())
    }

    /// Gives a try back: it was a good one.
    pub fn give_back(&mut self, address: IpAddr, name: &str) {
        for (id, rate) in self.tries(address, name) {
            if let Some(until_us) = self.until_us.get_mut(&id) {
                *until_us = until_us.saturating_sub(rate.every_us);
            }
        }
    }

    fn tries(&self, address: IpAddr, name: &str) -> [(u64, Rate); 2] {
        [(self.id(&network(address)), OF_ADDRESS), (self.id(&("name", name)), OF_NAME)]
    }

    fn id(&self, of: &impl Hash) -> u64 {
        self.hasher.hash_one(of)
    }

    fn wait_us(&self, id: u64, rate: Rate, now_us: u64) -> u64 {
        let used_us = self.until_us.get(&id).map_or(0, |until_us| until_us.saturating_sub(now_us));
        (used_us + rate.every_us).saturating_sub(rate.burst * rate.every_us)
    }

    fn forget_one(&mut self) {
        if let Some(id) = self.until_us.iter().min_by_key(|(_, until_us)| **until_us).map(|(id, _)| *id) {
            self.until_us.remove(&id);
        }
    }
}

/// What belongs to one person as a rule: an IPv4 address, or the first half of an IPv6 address.
fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "192.0.2.1";

    fn take(throttle: &mut Throttle, address: &str, name: &str, now_us: u64) -> Result<(), u64> {
        throttle.take(address.parse().unwrap(), name, now_us)
    }

    #[test]
    fn an_address_has_ten_tries_and_one_more_every_ten_seconds() {
        let mut throttle = Throttle::default();
        for number in 0..10 {
            assert_eq!(take(&mut throttle, HERE, &format!("name {number}"), 0), Ok(()));
        }
        assert_eq!(take(&mut throttle, HERE, "ada", 0), Err(10));
        assert_eq!(take(&mut throttle, "::ffff:192.0.2.1", "ada", 9 * SECOND_US), Err(1));
        assert_eq!(take(&mut throttle, "192.0.2.2", "ada", 0), Ok(()));
        assert_eq!(take(&mut throttle, HERE, "ada", 10 * SECOND_US), Ok(()));
        assert_eq!(take(&mut throttle, HERE, "ada", 10 * SECOND_US), Err(10));
    }

    #[test]
    fn the_addresses_of_one_network_are_one() {
        let mut throttle = Throttle::default();
        for number in 0..10 {
            assert_eq!(take(&mut throttle, &format!("2001:db8::{number}"), &format!("{number}"), 0), Ok(()));
        }
        assert_eq!(take(&mut throttle, "2001:db8::ffff", "ada", 0), Err(10));
        assert_eq!(take(&mut throttle, "2001:db8:0:1::", "ada", 0), Ok(()));
    }

    #[test]
    fn a_name_is_tried_no_more_often_from_many_addresses() {
        let mut throttle = Throttle::default();
        for number in 0..30 {
            assert_eq!(take(&mut throttle, &format!("192.0.2.{number}"), "ada", 0), Ok(()));
        }
        assert_eq!(take(&mut throttle, "198.51.100.1", "ada", 0), Err(60));
        assert_eq!(take(&mut throttle, "198.51.100.1", "bob", 0), Ok(()));
    }

    #[test]
    fn good_tries_cost_nothing() {
        let mut throttle = Throttle::default();
        for _ in 0..100 {
            assert_eq!(take(&mut throttle, HERE, "ada", 0), Ok(()));
            throttle.give_back(HERE.parse().unwrap(), "ada");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut throttle = Throttle::default();
        for number in 0..REMEMBERED_MAX as u32 {
            let address = std::net::Ipv4Addr::from_bits(number).into();
            assert_eq!(throttle.take(address, &number.to_string(), 0), Ok(()));
        }
        assert!(throttle.until_us.len() <= REMEMBERED_MAX);
    }
}

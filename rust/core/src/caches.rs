//! The sizes of this machine's caches, asked once, at run time.

use std::sync::OnceLock;

/// Bytes of a line of the cache.
pub(crate) const LINE: usize = 64;

/// Bytes of the caches that the blocks are cut for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caches {
    /// The second level, of one core.
    pub(crate) l2: usize,
}

/// What nearly every core made since 2015 has, or more.
const MODEST: Caches = Caches { l2: 256 << 10 };

impl Caches {
    /// Those of this machine.
    pub(crate) fn get() -> Self {
        static CACHES: OnceLock<Caches> = OnceLock::new();
        *CACHES.get_or_init(|| {
            let found = linux().or_else(cpuid).unwrap_or(MODEST);
            Caches { l2: found.l2.clamp(128 << 10, 4 << 20) }
        })
    }
}

/// What the kernel says of the first processor's caches.
fn linux() -> Option<Caches> {
    let mut found = [0; 4];
    for index in 0..8 {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/");
        let read = |name: &str| std::fs::read_to_string(path.clone() + name).ok();
        let (Some(level), Some(kind), Some(size)) = (read("level"), read("type"), read("size"))
        else {
            break;
        };
        let level: usize = level.trim().parse().ok()?;
        if kind.trim() != "Instruction" && level < found.len() {
            found[level] = size.trim().strip_suffix('K')?.parse::<usize>().ok()? << 10;
        }
    }
    from_levels(found)
}

/// What the processor says of itself: leaf 4 (Intel) or 0x8000001D (AMD), one sub-leaf a cache.
#[cfg(target_arch = "x86_64")]
fn cpuid() -> Option<Caches> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    for leaf in [4, 0x8000_001D] {
        if __cpuid(leaf & 0x8000_0000).eax < leaf {
            continue;
        }
        let mut found = [0; 4];
        for sub in 0..8 {
            let r = __cpuid_count(leaf, sub);
            let (kind, level) = (r.eax & 31, (r.eax >> 5 & 7) as usize);
            if kind == 0 {
                break;
            }
            if kind != 2 && level < found.len() {
                let (ways, partitions, line) = (r.ebx >> 22, r.ebx >> 12 & 0x3ff, r.ebx & 0xfff);
                found[level] = [ways, partitions, line, r.ecx]
                    .iter()
                    .fold(1usize, |bytes, &x| bytes.saturating_mul(x as usize + 1));
            }
        }
        if let Some(caches) = from_levels(found) {
            return Some(caches);
        }
    }
    None
}

#[cfg(not(target_arch = "x86_64"))]
fn cpuid() -> Option<Caches> {
    None
}

/// From bytes by level.
fn from_levels(bytes: [usize; 4]) -> Option<Caches> {
    let l2 = bytes[2];
    (l2 > 0).then_some(Caches { l2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_of_a_plausible_machine() {
        let Caches { l2 } = Caches::get();
        assert!((128 << 10..=4 << 20).contains(&l2), "{l2}");
    }

    #[test]
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn the_two_sources_agree_on_the_second_level() {
        if let (Some(a), Some(b)) = (linux(), cpuid()) {
            assert_eq!(a.l2, b.l2);
        }
    }
}

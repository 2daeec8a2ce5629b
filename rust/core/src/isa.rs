//! Instruction sets: which there are, which this machine has, which one is used.

use std::fmt;
use std::sync::OnceLock;

use crate::error::Error;

/// An instruction set that this machine has. A value can only be had from [`Isa::available`],
/// [`Isa::best`] and the other constructors here, all of which ask the processor first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// Plain Rust that LLVM vectorises for the target's baseline.
    Portable,
    /// AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, DQ, VL and BW.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// Every instruction set of this machine, slowest first.
    ///
    /// ```
    /// use purrceptron::isa::Isa;
    /// assert_eq!(Isa::available()[0], Isa::Portable);
    /// ```
    pub fn available() -> &'static [Isa] {
        static AVAILABLE: OnceLock<Vec<Isa>> = OnceLock::new();
        AVAILABLE.get_or_init(|| {
            #[allow(unused_mut, reason = "only x86-64 has more to push")]
            let mut sets = vec![Isa::Portable];
            #[cfg(target_arch = "x86_64")]
            {
                let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
                if avx2 {
                    sets.push(Isa::Avx2);
                }
                if avx2
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("popcnt")
                {
                    sets.push(Isa::Avx512);
                }
            }
            sets
        })
    }

    /// The fastest instruction set of this machine.
    pub fn best() -> Isa {
        *Self::available().last().expect("the portable set is always there")
    }

    /// The instruction set that the process uses: the one that the environment variable
    /// `PURRCEPTRON_ISA` names, else the best. Read once.
    ///
    /// # Errors
    /// [`Error::Isa`] if the variable names no instruction set, or one that the machine lacks.
    pub fn current() -> Result<Isa, Error> {
        static CURRENT: OnceLock<Result<Isa, Error>> = OnceLock::new();
        CURRENT
            .get_or_init(|| match std::env::var("PURRCEPTRON_ISA") {
                Ok(name) => Self::named(&name),
                Err(_) => Ok(Self::best()),
            })
            .clone()
    }

    /// The instruction set of that name: `portable`, `avx2` or `avx512`.
    ///
    /// # Errors
    /// [`Error::Isa`] if there is none, or the machine lacks it.
    pub fn named(name: &str) -> Result<Isa, Error> {
        Self::available().iter().copied().find(|isa| isa.to_string() == name).ok_or_else(|| {
            let had: Vec<String> = Self::available().iter().map(Isa::to_string).collect();
            Error::Isa { asked: name.to_owned(), available: had.join(", ") }
        })
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Isa::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => "avx512",
        })
    }
}

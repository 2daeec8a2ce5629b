//! Rows that are a stride apart, reached from one pointer without an instruction for each.

/// The distances, in bytes as addresses count, of which the others are doubles and quadruples.
///
/// An address of x86 may double or quadruple a register, so three registers reach seven rows. Left to itself the compiler
/// keeps each distance in a register of its own, or makes a chain of additions.
#[derive(Clone, Copy)]
pub(crate) struct Strides {
    one: isize,
    three: isize,
    five: isize,
}

impl Strides {
    /// How many rows are reached, the first among them.
    pub(crate) const ROWS: usize = 7;

    /// For rows of `T` that are `stride` elements apart.
    #[inline(always)]
    pub(crate) fn new<T>(stride: isize) -> Self {
        let one = stride.wrapping_mul(size_of::<T>() as isize);
        Self { one, three: one.wrapping_mul(3), five: one.wrapping_mul(5) }
    }

    /// The same, of which the compiler knows nothing: to be called in each turn of a loop.
    #[inline(always)]
    pub(crate) fn opaque(self) -> Self {
        Self { one: opaque(self.one), three: opaque(self.three), five: opaque(self.five) }
    }

    /// Where row `i` begins, if the first begins at `first`.
    #[inline(always)]
    pub(crate) fn row<T>(self, first: *const T, i: usize) -> *const T {
        let Self { one, three, five } = self;
        let distances = [0, one, 2 * one, three, 4 * one, five, 2 * three];
        first.wrapping_byte_offset(distances[i])
    }
}

/// The number itself, of which the compiler knows nothing.
#[inline(always)]
fn opaque(x: isize) -> isize {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let mut x = x;
        // SAFETY: it is no instruction at all.
        unsafe {
            std::arch::asm!(
                "/* {0} */",
                inout(reg) x,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        x
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    x
}

#[cfg(test)]
mod tests {
    use super::Strides;

    #[test]
    fn each_row_is_so_many_strides_from_the_first() {
        let numbers = [0.0f64; 100];
        let middle = numbers[50..].as_ptr();
        for stride in [-8, -1, 0, 1, 5] {
            let strides = Strides::new::<f64>(stride).opaque();
            for i in 0..Strides::ROWS {
                assert_eq!(strides.row(middle, i), middle.wrapping_offset(i as isize * stride));
            }
        }
    }
}

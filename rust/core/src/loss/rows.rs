//! What softmax, log-sum-exp and categorical cross-entropy do with a row of logits.
//!
//! Rows are taken in groups, first all loads, then all stores: a load close behind a masked store
//! would have to wait for it, even where the next row begins. And a register holds one logarithm
//! for each row of a group.

use crate::float::Float;
use crate::math::Constants;
use crate::math::exp::exp_below;
use crate::simd::VectorMath;

/// At least any register's lanes.
pub(super) const LANES: usize = 16;

/// Room for one number for each row of a group.
pub(super) type PerRow<T> = [T; LANES];

#[inline(always)]
pub(super) fn load<V: VectorMath>(from: &PerRow<V::Elem>) -> V {
    // SAFETY: there is room for any register.
    unsafe { V::load(from.as_ptr()) }
}

#[inline(always)]
pub(super) fn store<V: VectorMath>(v: V, to: &mut PerRow<V::Elem>) {
    // SAFETY: as above.
    unsafe { v.store(to.as_mut_ptr()) }
}

/// Elements of a [`Scratch`].
const SCRATCH: usize = 512;

/// Room for the exponentials of a group of short rows, each in registers of its own.
pub(super) type Scratch<T> = [T; SCRATCH];

/// Where the exponentials of a group of rows go, and how far apart the rows are there: into the
/// scratch if the rows are so short that it has room, else into the rows themselves.
#[inline(always)]
pub(super) fn place<V: VectorMath>(
    rows: *mut V::Elem,
    k: usize,
    scratch: &mut Scratch<V::Elem>,
) -> (*mut V::Elem, usize) {
    let apart = k.next_multiple_of(V::LANES);
    if apart * V::LANES <= SCRATCH { (scratch.as_mut_ptr(), apart) } else { (rows, k) }
}

/// How many rows of `k` elements make a group: at most a register's lanes, and no more than fit
/// the first-level cache.
#[inline(always)]
pub(super) fn group<V: VectorMath>(k: usize) -> usize {
    (2048 / k).clamp(1, V::LANES)
}

/// The largest element of each row of a group.
#[inline(always)]
pub(super) fn largest_of_each<V: VectorMath>(rows: &[V::Elem], k: usize) -> PerRow<V::Elem> {
    let mut c = [V::Elem::ZERO; _];
    for (c, row) in c.iter_mut().zip(rows.chunks_exact(k)) {
        *c = largest::<V>(row);
    }
    c
}

/// The largest element of a row that has one.
#[inline(always)]
pub(super) fn largest<V: VectorMath>(row: &[V::Elem]) -> V::Elem {
    let lowest = V::splat(-<V::Elem as Constants>::INFINITY);
    let mut largest = [lowest; 4];
    let mut blocks = row.chunks_exact(4 * V::LANES);
    for block in &mut blocks {
        for (i, largest) in largest.iter_mut().enumerate() {
            // SAFETY: the block holds four registers.
            *largest = unsafe { V::load(block.as_ptr().add(i * V::LANES)) }.max(*largest);
        }
    }
    let [mut a, b, c, d] = largest;
    for part in blocks.remainder().chunks(V::LANES) {
        // SAFETY: `part` holds that many elements.
        let z = unsafe { V::load_head(part.as_ptr(), part.len()) };
        a = V::select(V::head(part.len()), z, lowest).max(a);
    }
    a.max(b).max(c.max(d)).largest()
}

/// `Σ_j exp(z_j - c)`, for a `c` that is not below the row's largest element.
#[inline(always)]
pub(super) fn sum_exp<V: VectorMath>(row: &[V::Elem], c: V::Elem) -> V::Elem {
    let mut sum = V::splat(V::Elem::ZERO);
    for part in row.chunks(V::LANES) {
        // SAFETY: `part` holds that many elements.
        let z = unsafe { V::load_part(part.as_ptr(), part.len()) };
        sum = sum.add(exp_head(z, part.len(), c));
    }
    sum.sum()
}

/// The same, with each term written to `to`.
/// # Safety
/// `k` elements can be read at `from` and written at `to`, which is `from` itself or apart from it.
#[inline(always)]
pub(super) unsafe fn write_exp<V: VectorMath>(
    from: *const V::Elem,
    to: *mut V::Elem,
    k: usize,
    c: V::Elem,
) -> V::Elem {
    let mut sum = V::splat(V::Elem::ZERO);
    for j in (0..k).step_by(V::LANES) {
        let n = V::LANES.min(k - j);
        // SAFETY: j + n <= k.
        unsafe {
            let e = exp_head(V::load_part(from.add(j), n), n, c);
            e.store_part(to.add(j), n);
            sum = sum.add(e);
        }
    }
    sum.sum()
}

/// `exp(z - c)` in the first `n` lanes, 0 in the others.
#[inline(always)]
fn exp_head<V: VectorMath>(z: V, n: usize, c: V::Elem) -> V {
    V::select(V::head(n), exp_below(z.sub(V::splat(c))), V::splat(V::Elem::ZERO))
}

/// `to[j] = then(factor from[j])`
/// # Safety
/// As [`write_exp`].
#[inline(always)]
pub(super) unsafe fn write_scaled<V: VectorMath>(
    from: *const V::Elem,
    to: *mut V::Elem,
    k: usize,
    factor: V::Elem,
    then: impl Fn(V) -> V,
) {
    let factor = V::splat(factor);
    for j in (0..k).step_by(V::LANES) {
        let n = V::LANES.min(k - j);
        // SAFETY: j + n <= k.
        unsafe { then(V::load_part(from.add(j), n).mul(factor)).store_part(to.add(j), n) }
    }
}

//! Elements a second of everything element-wise, on one thread, in the second-level cache:
//! `cargo bench -p purrceptron --bench elementwise`, with `PURRCEPTRON_ISA` to choose a set.

use std::mem::MaybeUninit;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use ndarray::ArrayViewMut2;
use purrceptron::activation::Activation;
use purrceptron::loss::{self, Loss, Targets};
use purrceptron::math::{self, Function};
use purrceptron::optim::Optimizer;
use purrceptron::{Context, Float, Isa};

fn main() {
    divan::main();
}

/// Elements of each array.
const N: usize = 16384;

fn isa() -> Isa {
    Isa::current().expect("PURRCEPTRON_ISA names a set of this machine")
}

/// Numbers between -8 and 8, in no order.
fn numbers<T: Float>() -> Vec<T> {
    (0..N).map(|i| T::from_f64(8.0 * f64::from(i as u32).sin())).collect()
}

fn context() -> Context {
    Context::new(isa(), 1)
}

const FUNCTIONS: [Function; 6] = [
    Function::Exp,
    Function::Log1p,
    Function::Tanh,
    Function::Relu,
    Function::Sigmoid,
    Function::Softplus,
];

fn unary<T: Float>(bencher: Bencher<'_, '_>, f: fn(Isa, &[T], &mut [T])) {
    let (isa, x, mut out) = (isa(), numbers::<T>(), vec![T::ZERO; N]);
    bencher.counter(ItemsCount::new(N)).bench_local(|| f(isa, black_box(&x), black_box(&mut out)));
}

#[divan::bench(types = [f32, f64])]
fn exp<T: Float>(bencher: Bencher<'_, '_>) {
    unary::<T>(bencher, math::exp);
}

#[divan::bench(types = [f32, f64])]
fn expm1<T: Float>(bencher: Bencher<'_, '_>) {
    unary::<T>(bencher, math::expm1);
}

#[divan::bench(types = [f32, f64])]
fn log<T: Float>(bencher: Bencher<'_, '_>) {
    unary::<T>(bencher, math::log);
}

#[divan::bench(types = [f32, f64])]
fn log1p<T: Float>(bencher: Bencher<'_, '_>) {
    unary::<T>(bencher, math::log1p);
}

#[divan::bench(types = [f32, f64])]
fn tanh<T: Float>(bencher: Bencher<'_, '_>) {
    unary::<T>(bencher, math::tanh);
}

#[divan::bench(types = [f32, f64])]
fn sigmoid<T: Float>(bencher: Bencher<'_, '_>) {
    unary::<T>(bencher, math::sigmoid);
}

#[divan::bench(types = [f32, f64])]
fn softplus<T: Float>(bencher: Bencher<'_, '_>) {
    unary::<T>(bencher, math::softplus);
}

/// The same as Python calls them: into memory that need not be initialised, all looked at.
#[divan::bench(types = [f32, f64], args = FUNCTIONS)]
fn checked<T: Float>(bencher: Bencher<'_, '_>, function: Function) {
    let (ctx, x, mut out) = (context(), numbers::<T>(), vec![MaybeUninit::uninit(); N]);
    bencher
        .counter(ItemsCount::new(N))
        .bench_local(|| function.apply(&ctx, black_box(&x), black_box(&mut out)));
}

#[divan::bench(types = [f32, f64], args = [2, 10, 16, 100, 1024])]
fn softmax<T: Float>(bencher: Bencher<'_, '_>, k: usize) {
    let (ctx, x, len) = (context(), numbers::<T>(), N / k * k);
    let mut out = vec![MaybeUninit::uninit(); len];
    bencher
        .counter(ItemsCount::new(len))
        .bench_local(|| loss::softmax(&ctx, black_box(&x[..len]), k, black_box(&mut out)));
}

#[divan::bench(types = [f32, f64], args = [10, 100, 1024])]
fn logsumexp<T: Float>(bencher: Bencher<'_, '_>, k: usize) {
    let (ctx, x, m) = (context(), numbers::<T>(), N / k);
    let mut out = vec![MaybeUninit::uninit(); m];
    bencher
        .counter(ItemsCount::new(m * k))
        .bench_local(|| loss::log_sum_exp(&ctx, black_box(&x[..m * k]), k, black_box(&mut out)));
}

#[divan::bench(types = [f32, f64], args = Activation::ALL.map(Activation::name))]
fn backward<T: Float>(bencher: Bencher<'_, '_>, name: &str) {
    let activation = Activation::named(name).expect("a name");
    let (isa, z, mut da) = (isa(), numbers::<T>(), vec![T::ONE; N]);
    bencher
        .counter(ItemsCount::new(N))
        .bench_local(|| activation.backward(isa, black_box(&z), black_box(&mut da)));
}

#[divan::bench(types = [f32, f64], args = [1, 2, 10])]
fn cross_entropy<T: Float>(bencher: Bencher<'_, '_>, k: usize) {
    let (isa, x) = (isa(), numbers::<T>());
    let m = 128;
    let loss = if k == 1 { Loss::BinaryCrossEntropy } else { Loss::CategoricalCrossEntropy };
    let classes: Vec<u32> = (0..m).map(|i| (i % k.max(2)) as u32).collect();
    let mut z = x[..m * k].to_vec();
    bencher.counter(ItemsCount::new(m)).bench_local(|| {
        let z = ArrayViewMut2::from_shape((m, k), &mut z[..]).expect("m k elements");
        loss.value_and_gradient(isa, black_box(z), Targets::Classes(&classes), None)
    });
}

const OPTIMIZERS: [(&str, Optimizer); 4] = [
    ("sgd", Optimizer::Sgd { momentum: 0.0, nesterov: false }),
    ("momentum", Optimizer::Sgd { momentum: 0.9, nesterov: false }),
    ("rms_prop", Optimizer::RmsProp { rho: 0.99, epsilon: 1e-8, momentum: 0.0 }),
    ("adam", Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
];

#[divan::bench(types = [f32, f64], args = OPTIMIZERS.map(|(name, _)| name))]
fn step<T: Float>(bencher: Bencher<'_, '_>, name: &str) {
    let (_, optimizer) = OPTIMIZERS.into_iter().find(|o| o.0 == name).expect("a name");
    let (isa, mut w, g) = (isa(), numbers::<T>(), numbers::<T>());
    let (mut a, mut b) = (vec![T::ZERO; N], vec![T::ZERO; N]);
    let update = optimizer.update(10, 1e-3);
    bencher.counter(ItemsCount::new(N)).bench_local(|| {
        let mut slots = [&mut a[..], &mut b[..]];
        update.apply(isa, 1e-4, &mut w, black_box(&g), &mut slots[..optimizer.slots()]);
    });
}

#[divan::bench(types = [f32, f64])]
fn sum_of_squares<T: Float>(bencher: Bencher<'_, '_>) {
    let (isa, x) = (isa(), numbers::<T>());
    bencher.counter(ItemsCount::new(N)).bench_local(|| math::sum_of_squares(isa, black_box(&x)));
}

#[divan::bench(types = [f32, f64])]
fn first_non_finite<T: Float>(bencher: Bencher<'_, '_>) {
    let (isa, x) = (isa(), numbers::<T>());
    bencher.counter(ItemsCount::new(N)).bench_local(|| math::first_non_finite(isa, black_box(&x)));
}

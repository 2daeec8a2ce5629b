//! Nothing is allocated in a training step: an allocator that counts sees a few pieces of memory asked for in a call
//! of the trainer, and no more of them if the call takes a hundred steps.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array2, s};
use purrceptron::train::{Settings, Trainer};
use purrceptron::{
    Activation, Architecture, Context, Data, Float, Init, Isa, Network, Normalization, Optimizer,
    Output, Samples, Schedule, Targets,
};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROWS: usize = 3200;
const STEPS: usize = 100;

const OPTIMIZERS: [Optimizer; 5] = [
    Optimizer::Sgd { momentum: 0.0, nesterov: false },
    Optimizer::Sgd { momentum: 0.9, nesterov: true },
    Optimizer::RmsProp { rho: 0.99, epsilon: 1e-8, momentum: 0.9 },
    Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 },
];

/// Samples of one type or another.
enum AnyX {
    F32(Array2<f32>),
    F64(Array2<f64>),
    U8(Array2<u8>),
}

impl AnyX {
    fn samples(&self) -> Samples<'_> {
        match self {
            Self::F32(x) => Samples::F32(x.view()),
            Self::F64(x) => Samples::F64(x.view()),
            Self::U8(x) => Samples::U8(x.view()),
        }
    }
}

/// Asserts that an epoch of a hundred steps asks for no more than a call of one step might: the list of losses,
/// and what is made once a call.
fn check<T: Float>(x: &AnyX, settings: Settings, threads: usize) {
    check_normalized::<T>(x, settings, threads, [None; 2]);
}

/// The same for a network with normalised layers.
fn check_normalized<T: Float>(
    x: &AnyX,
    settings: Settings,
    threads: usize,
    normalization: [Option<Normalization>; 2],
) {
    const A_CALL: usize = 8;
    let output = Output::Softmax;
    let sizes = [x.samples().dim().1, 50, 30, 3];
    let architecture = Architecture::new(&sizes, Activation::Relu, output)
        .and_then(|architecture| architecture.normalized(normalization.to_vec()))
        .unwrap();
    let net = Network::<T>::new(architecture, Init::HeNormal, 1).unwrap();
    let classes: Vec<u32> = (0..ROWS as u32).map(|i| i % 3).collect();
    let weights = vec![T::ONE; ROWS];
    let loss = net.architecture.default_loss();
    let data =
        Data::new(&net.architecture, loss, x.samples(), Targets::Classes(&classes), Some(&weights))
            .unwrap();
    let what = format!("{} {settings:?} {threads}", T::NAME);
    let ctx = Context::new(Isa::best(), threads);
    let mut trainer = Trainer::new(net.model(), ROWS, settings).unwrap();
    let mut stop = || false;
    // The first call may start threads and find out how large things are.
    trainer.run(&ctx, &data, 1, &mut stop).unwrap();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let losses = trainer.run(&ctx, &data, 1, &mut stop).unwrap();
    let count = ALLOCATIONS.load(Ordering::Relaxed) - before;
    assert_eq!(losses.len(), 1);
    assert!(count <= A_CALL, "{what}: {count} allocations");
}

// One test: others at its side would be counted as well.
#[test]
fn a_hundred_steps_allocate_nothing() {
    let x = Array2::from_shape_fn((ROWS, 40), |(i, j)| ((i * 31 + j * 17) % 97) as f32 / 97.0);
    let all = [
        AnyX::F64(x.mapv(f64::from)),
        AnyX::U8(x.mapv(|x| (x * 255.0) as u8)),
        AnyX::F32(x.slice(s![.., ..1]).to_owned()),
        AnyX::F32(x),
    ];
    for optimizer in OPTIMIZERS {
        for x in &all {
            for threads in [1, 2] {
                for batch_size in [Some(ROWS / STEPS), None] {
                    let loss = purrceptron::Loss::CategoricalCrossEntropy;
                    let settings = Settings {
                        optimizer,
                        batch_size,
                        l2: 0.1,
                        ..Settings::gradient_descent(1e-3, loss)
                    };
                    check::<f32>(x, settings.clone(), threads);
                    check::<f64>(x, settings, threads);
                }
            }
        }
    }
    let loss = purrceptron::Loss::CategoricalCrossEntropy;
    for optimizer in OPTIMIZERS {
        let everything = Settings {
            optimizer,
            batch_size: Some(ROWS / STEPS),
            schedule: Schedule::Cosine { epochs: 5.0, last: 0.1 },
            l2: 0.1,
            l1: 0.1,
            clip_norm: Some(1.0),
            dropout: vec![0.1, 0.2, 0.3],
            ..Settings::gradient_descent(1e-3, loss)
        };
        let at_once = Settings { l1: 0.0, clip_norm: None, ..everything.clone() };
        let kinds = [Some(Normalization::Batch), Some(Normalization::Layer)];
        for settings in [everything, at_once] {
            check_normalized::<f32>(&all[3], settings.clone(), 2, kinds);
            check_normalized::<f64>(&all[1], settings, 1, kinds);
        }
    }
    for batch_size in [Some(ROWS / STEPS), None] {
        let settings =
            Settings { batch_size, gram: true, ..Settings::gradient_descent(1e-3, loss) };
        check::<f32>(&all[0], settings.clone(), 2);
        check::<f64>(&all[1], settings, 2);
    }
}

// An LSTM's walk over time, forward and backward, for few units: weights that fit into the first caches are used again
// and again, and each thread takes its own rows through all steps, so that threads need not wait for each other.
// Gates stand in torch's order: i, f, g, o.  Written with the vector types of GCC and Clang; units is a multiple of 16.

#include <stdint.h>
#include <string.h>

typedef float vf __attribute__((vector_size(64), aligned(4)));
typedef int32_t vi __attribute__((vector_size(64), aligned(4)));
enum { LANES = 16, ROWS = 4 };

static inline vf load(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store(float *p, vf v) { memcpy(p, &v, sizeof v); }

// e^x = 2^n e^r with |r| <= ln 2 / 2, by the polynomial of the Cephes library; relative error about 1e-7.
static inline vf exponential(vf x) {
    const vf zero = {}, most = zero + 88.0f, least = zero - 87.0f, shift = zero + 12582912.0f;
    x = x > most ? most : x;
    x = x < least ? least : x;
    const vf t = x * 1.44269504f + shift;  // the sum has n in its last bits
    const vf n = t - shift;
    const vf r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    vf p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const vi power = ((vi)t - 0x4B400000 + 127) << 23;
    return (p * r * r + r + 1.0f) * (vf)power;
}

static inline vf sigmoid(vf x) { return 1.0f / (1.0f + exponential(-x)); }

// Near zero by a polynomial of its own (Cephes), where 1 - 2 / (1 + e^2x) would lose digits.
static inline vf hyperbolic(vf x) {
    const vf z = x * x;
    vf p = z * -5.70498872745e-3f + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    const vf small = p * z * x + x, large = 1.0f - 2.0f / (1.0f + exponential(2.0f * x));
    return z < 0.390625f ? small : large;
}

// y[R][n] += a[R][k] . m[k][n]; n is a multiple of LANES * BLOCK.  The sums stay in registers.
template <int R, int BLOCK>
static inline void multiply(float *y, long ys, const float *a, long as, const float *m, long k, long n) {
    for (long j = 0; j < n; j += BLOCK * LANES) {
        vf sum[R][BLOCK];
        for (int r = 0; r < R; ++r)
            for (int b = 0; b < BLOCK; ++b) sum[r][b] = load(y + r * ys + j + b * LANES);
        for (long i = 0; i < k; ++i) {
            vf row[BLOCK];
            for (int b = 0; b < BLOCK; ++b) row[b] = load(m + i * n + j + b * LANES);
            for (int r = 0; r < R; ++r)
                for (int b = 0; b < BLOCK; ++b) sum[r][b] += a[r * as + i] * row[b];
        }
        for (int r = 0; r < R; ++r)
            for (int b = 0; b < BLOCK; ++b) store(y + r * ys + j + b * LANES, sum[r][b]);
    }
}

// z: projected inputs, becomes the activated gates.  h, c: what stands before the first step, then after each step.
// a: activated c.  m: the recurrent weights, (units, 4 units).
template <int R>
static void walk(float *z, const float *m, float *h, float *c, float *a, long steps, long batch, long units) {
    const long zs = 4 * units, zt = batch * zs, ht = batch * units;
    for (long t = 0; t < steps; ++t, z += zt, h += ht, c += ht, a += ht) {
        multiply<R, 4>(z, zs, h, units, m, units, zs);
        for (int r = 0; r < R; ++r)
            for (long j = 0; j < units; j += LANES) {
                float *g = z + r * zs + j;
                const long p = r * units + j;
                const vf i = sigmoid(load(g)), f = sigmoid(load(g + units));
                const vf n = hyperbolic(load(g + 2 * units)), o = sigmoid(load(g + 3 * units));
                const vf cell = f * load(c + p) + i * n, active = hyperbolic(cell);
                store(g, i);
                store(g + units, f);
                store(g + 2 * units, n);
                store(g + 3 * units, o);
                store(a + p, active);
                store(c + ht + p, cell);
                store(h + ht + p, o * active);
            }
    }
}

// z, c, a: from `walk`.  d: becomes the gradient of the projected inputs.  dy: the gradient of all h, or null.
// dh, dc: the gradients of the last states, become those of the first.  m: the recurrent weights, (4 units, units).
template <int R>
static void walk_back(const float *z, float *d, const float *m, const float *c, const float *a, const float *dy,
                      float *dh, float *dc, long steps, long batch, long units) {
    const long zs = 4 * units, zt = batch * zs, ht = batch * units;
    for (long t = steps - 1; t >= 0; --t) {
        for (int r = 0; r < R; ++r)
            for (long j = 0; j < units; j += LANES) {
                const float *g = z + t * zt + r * zs + j;
                float *e = d + t * zt + r * zs + j;
                const long p = r * units + j;
                const vf i = load(g), f = load(g + units), n = load(g + 2 * units), o = load(g + 3 * units);
                const vf active = load(a + t * ht + p), zero = {};
                vf out = load(dh + p);
                if (dy) out += load(dy + t * ht + p);
                const vf cell = load(dc + p) + out * o * (1.0f - active * active);
                store(e, cell * n * i * (1.0f - i));
                store(e + units, cell * load(c + t * ht + p) * f * (1.0f - f));
                store(e + 2 * units, cell * i * (1.0f - n * n));
                store(e + 3 * units, out * active * o * (1.0f - o));
                store(dc + p, cell * f);
                store(dh + p, zero);
            }
        const float *row = d + t * zt;
        if (units % (4 * LANES) == 0) multiply<R, 4>(dh, units, row, zs, m, zs, units);
        else if (units % (2 * LANES) == 0) multiply<R, 2>(dh, units, row, zs, m, zs, units);
        else multiply<R, 1>(dh, units, row, zs, m, zs, units);
    }
}

extern "C" void lstm_walk(float *z, const float *m, float *h, float *c, float *a, long steps, long batch, long units,
                          int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long first = 0; first < batch; first += ROWS) {
        const long n = 4 * units;
        if (first + ROWS <= batch)
            walk<ROWS>(z + first * n, m, h + first * units, c + first * units, a + first * units, steps, batch, units);
        else
            for (long b = first; b < batch; ++b)
                walk<1>(z + b * n, m, h + b * units, c + b * units, a + b * units, steps, batch, units);
    }
}

extern "C" void lstm_walk_back(const float *z, float *d, const float *m, const float *c, const float *a,
                               const float *dy, float *dh, float *dc, long steps, long batch, long units, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long first = 0; first < batch; first += ROWS) {
        const bool whole = first + ROWS <= batch;
        for (long b = first; b < (whole ? first + 1 : batch); ++b) {
            const long n = b * 4 * units, p = b * units;
            const float *given = dy ? dy + p : 0;
            if (whole) walk_back<ROWS>(z + n, d + n, m, c + p, a + p, given, dh + p, dc + p, steps, batch, units);
            else walk_back<1>(z + n, d + n, m, c + p, a + p, given, dh + p, dc + p, steps, batch, units);
        }
    }
}

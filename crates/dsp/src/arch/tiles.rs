//! Direct correlator on [tiles](crate::tiles) with dot products of bytes, for AVX-512 with VNNI and more.

use num_complex::Complex;

use super::Available;
use crate::Replica;
use crate::kernel::Sums;
use crate::tiles::{Job, Line};

impl Available {
    /// Whether there is a kernel for tiles.
    pub(crate) fn takes_tiles(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self.0 == crate::Level::Avx512
            && is_x86_feature_detected!("avx512vnni")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512bitalg");
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// Makes a tile of its samples.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(crate) fn lay_out(self, samples: &[Complex<i8>], vectors: usize, tile: &mut [Line]) {
        if !self.takes_tiles() {
            return;
        }
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the extensions have been looked for.
        unsafe {
            x86::lay_out(samples, vectors, tile);
        }
    }

    /// Correlates tiles with replicas of one period; none where there is no kernel for it.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(crate) fn correlate_tiles<const N: usize>(
        self,
        job: &Job<'_>,
        replicas: [&Replica; N],
    ) -> Option<[Sums; N]> {
        if !self.takes_tiles() {
            return None;
        }
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the extensions have been looked for.
        unsafe {
            let codes = replicas.map(Replica::bits);
            match job.vectors {
                1 => x86::correlate::<N, 1>(job, codes),
                2 => x86::correlate::<N, 2>(job, codes),
                4 => x86::correlate::<N, 4>(job, codes),
                8 => x86::correlate::<N, 8>(job, codes),
                _ => None,
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        None
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::{asm, x86_64::*};
    use std::f64::consts::TAU;

    use super::*;
    use crate::correlate::{cis, cis_small};
    use crate::direct::FRACTION;
    use crate::replica::MARGIN;
    use crate::tiles::{CHUNKS, PART, len_of, lines_of};

    /// Fraction bits of the code phase of a sample within its chunk.
    const LANE_FRACTION: u32 = 26;
    /// Those of them below the sixteen that are used.
    const LANE_CUT: u32 = LANE_FRACTION - 16;
    /// Fraction bits of a chunk's code phase below the sixteen that are used.
    const CUT: u32 = FRACTION - 16;

    /// A word in each of the four words of a number.
    const WORDS: i64 = 0x0001_0001_0001_0001;

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load(from: &Line) -> __m512i {
        // SAFETY: a line is a vector and lies on its boundary.
        unsafe { _mm512_load_si512(from.0.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn store(to: &mut Line, v: __m512i) {
        // SAFETY: a line is a vector and lies on its boundary.
        unsafe { _mm512_store_si512(to.0.as_mut_ptr().cast(), v) }
    }

    #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
    pub(super) fn lay_out(samples: &[Complex<i8>], vectors: usize, tile: &mut [Line]) {
        if samples.len() != len_of(vectors) || tile.len() != lines_of(vectors) {
            return;
        }
        let apart = _mm_set_epi8(15, 13, 11, 9, 7, 5, 3, 1, 14, 12, 10, 8, 6, 4, 2, 0);
        let ones = _mm_set1_epi8(1);
        let parts = samples.as_chunks::<PART>().0;
        let (lines, sums) = tile.as_chunks_mut::<2>().0.split_at_mut(vectors);
        for (chunk, parts) in parts.chunks_exact(vectors).enumerate() {
            let mut sum = _mm_setzero_si128();
            for (part, to) in parts.iter().zip(lines.iter_mut()) {
                // SAFETY: a part is 16 bytes.
                let both = unsafe { _mm_shuffle_epi8(_mm_loadu_si128(part.as_ptr().cast()), apart) };
                sum = _mm_dpbusd_epi32(sum, ones, both);
                put(to, chunk, both);
            }
            let negated = _mm_sub_epi32(_mm_setzero_si128(), sum);
            sums.iter_mut().for_each(|to| put(to, chunk, negated));
        }
    }

    /// Puts half a vector into the eight bytes of a chunk in the line of I and half into that of Q.
    #[target_feature(enable = "sse2")]
    #[inline]
    fn put([i, q]: &mut [Line; 2], chunk: usize, both: __m128i) {
        let at = PART * chunk;
        if let (Some(i), Some(q)) = (i.0[at..].first_chunk_mut::<PART>(), q.0[at..].first_chunk_mut::<PART>())
        {
            // SAFETY: there is room for 8 bytes each.
            unsafe {
                _mm_storel_epi64(i.as_mut_ptr().cast(), both);
                _mm_storeh_pd(q.as_mut_ptr().cast(), _mm_castsi128_pd(both));
            }
        }
    }

    /// For a tap, the place of each sample of a chunk in the chunk's window of code bits, eight samples to a number,
    /// and the fraction behind it.
    #[derive(Clone, Copy)]
    struct Places {
        place: [i64; 8],
        fraction: [__m128i; 8],
        /// How far these lie from the truth on average, in units of the fraction.
        error: f64,
    }

    #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
    #[inline]
    fn places<const V: usize>(step: u64, offset: f64) -> Places {
        const LANES: usize = 16;
        let chunk = PART * V;
        let step = (step >> (FRACTION - LANE_FRACTION)) as i32;
        let half = 1 << (LANE_CUT - 1);
        let from = (offset * f64::from(1u32 << LANE_FRACTION)) as u32 + half;
        let lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        let mut at = _mm512_add_epi32(
            _mm512_mullo_epi32(lane, _mm512_set1_epi32(step)),
            _mm512_set1_epi32(from.cast_signed()),
        );
        let stride = _mm512_set1_epi32(step.wrapping_mul(LANES as i32));
        let cut = _mm512_set1_epi32((1 << LANE_CUT) - 1);
        let mut left = _mm512_setzero_si512();
        let mut places = Places { place: [0; 8], fraction: [_mm_setzero_si128(); 8], error: 0.0 };
        let pairs =
            places.place.as_chunks_mut::<2>().0.iter_mut().zip(places.fraction.as_chunks_mut::<2>().0);
        for (to_place, to_fraction) in pairs.take(chunk.div_ceil(LANES)) {
            let place = _mm512_cvtepi32_epi8(_mm512_srli_epi32::<LANE_FRACTION>(at));
            let fraction = _mm512_cvtepi32_epi16(_mm512_srli_epi32::<LANE_CUT>(at));
            *to_place = [_mm_cvtsi128_si64(place), _mm_extract_epi64::<1>(place)];
            *to_fraction = [_mm256_castsi256_si128(fraction), _mm256_extracti128_si256::<1>(fraction)];
            left = _mm512_add_epi32(left, _mm512_and_si512(at, cut));
            at = _mm512_add_epi32(at, stride);
        }
        // A chunk of one part fills half a vector.
        let used = if chunk < LANES { (1 << chunk) - 1 } else { u16::MAX };
        let left = _mm512_mask_reduce_add_epi32(used, left);
        places.error = 0.5 - f64::from(left) / (chunk as f64 * f64::from(1u32 << LANE_CUT));
        places
    }

    /// `places`, one higher where `carry` is set.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn carried(places: __m512i, carry: u64) -> __m512i {
        let mut sum = places;
        // SAFETY: one instruction of AVX-512 BW without access to memory. Written as a masked addition it is
        // compiled to two.
        unsafe {
            asm!(
                "vpaddb {sum}{{{carry}}}, {sum}, {one}",
                sum = inout(zmm_reg) sum,
                carry = in(kreg) carry,
                one = in(zmm_reg) _mm512_set1_epi8(1),
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        sum
    }

    /// Mean, over the chunks, of what lies below the fraction bits that are used, in units of these.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn mean_rest(first: __m512i, stride: u64, tiles: usize) -> f64 {
        let (stride, cut) = (_mm512_set1_epi64(stride.cast_signed()), _mm512_set1_epi64((1 << CUT) - 1));
        let (mut at, mut sum) = (first, _mm512_setzero_si512());
        for _ in 0..tiles {
            sum = _mm512_add_epi64(sum, _mm512_and_si512(at, cut));
            at = _mm512_add_epi64(at, stride);
        }
        _mm512_reduce_add_epi64(sum) as f64 / ((tiles * CHUNKS) as f64 * (1u64 << CUT) as f64)
    }

    /// The 64 code bits from those of each chunk on, and what a fraction must exceed to pass on to the next: for each
    /// sample of the first four chunks and of the others.
    #[target_feature(enable = "avx,avx512f,avx512bw,avx512vbmi")]
    #[inline]
    fn window(code: &[u64], position: u64, chunks: __m512i) -> Option<[__m512i; 3]> {
        let byte = (position >> (FRACTION + 3)) as usize;
        if byte + 64 > size_of_val(code) {
            return None;
        }
        // SAFETY: there are 64 bytes from there on.
        let bytes = unsafe { _mm512_loadu_si512(code.as_ptr().cast::<u8>().add(byte).cast()) };
        let within = position & ((1 << (FRACTION + 3)) - 1);
        let at = _mm512_add_epi64(_mm512_set1_epi64(within.cast_signed()), chunks);
        let next = _mm512_set1_epi64(0x0706_0504_0302_0100);
        let from = _mm512_multishift_epi64_epi8(_mm512_set1_epi8((FRACTION + 3) as i8), at);
        let bits = _mm512_permutexvar_epi8(_mm512_add_epi8(from, next), bytes);
        let skip = _mm512_and_si512(_mm512_srli_epi64::<FRACTION>(at), _mm512_set1_epi64(7));
        let above = _mm512_xor_si512(_mm512_srli_epi64::<CUT>(at), _mm512_set1_epi8(-1));
        // The lowest of the four words of each chunk, eight times.
        let of_lane = _mm512_inserti64x4::<1>(
            _mm512_castsi256_si512(_mm256_set_epi64x(WORDS * 4, WORDS * 4, 0, 0)),
            _mm256_set_epi64x(WORDS * 12, WORDS * 12, WORDS * 8, WORDS * 8),
        );
        let low = _mm512_permutexvar_epi16(of_lane, above);
        let high = _mm512_permutexvar_epi16(_mm512_add_epi16(of_lane, _mm512_set1_epi16(16)), above);
        Some([_mm512_srlv_epi64(bits, skip), low, high])
    }

    /// Sums of I and Q of a tile, negated, with the code of each tap.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512bitalg")]
    #[inline]
    fn tile_sums<const V: usize>(
        tile: &[Line],
        places: &[Places; 3],
        [window, low, high]: [__m512i; 3],
    ) -> [[__m512i; 2]; 3] {
        let mut sum = [[load(&tile[2 * V]), load(&tile[2 * V + 1])]; 3];
        let two = _mm512_set1_epi8(2);
        for k in 0..V {
            let (i, q) = (load(&tile[2 * k]), load(&tile[2 * k + 1]));
            for t in 0..3 {
                let fraction = _mm512_broadcast_i32x4(places[t].fraction[k]);
                let carry = _mm512_kunpackd(
                    _mm512_cmpgt_epu16_mask(fraction, high).into(),
                    _mm512_cmpgt_epu16_mask(fraction, low).into(),
                );
                let place = carried(_mm512_set1_epi64(places[t].place[k]), carry);
                let minus = _mm512_bitshuffle_epi64_mask(window, place);
                let twice = _mm512_maskz_mov_epi8(minus, two);
                sum[t][0] = _mm512_dpbusd_epi32(sum[t][0], twice, i);
                sum[t][1] = _mm512_dpbusd_epi32(sum[t][1], twice, q);
            }
        }
        sum
    }

    /// Copies samples `from` to `to` of a tile, the others being zero.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn cut<const V: usize>(tile: &[Line], from: usize, to: usize, part: &mut [Line]) {
        let chunk = PART * V;
        // Bytes of vector k that come before sample n.
        let before = |n: usize, k: usize| {
            let bytes = PART * (n / chunk) + (n % chunk).saturating_sub(PART * k).min(PART);
            if bytes < 64 { (1u64 << bytes) - 1 } else { u64::MAX }
        };
        let (zero, ones) = (_mm512_setzero_si512(), _mm512_set1_epi8(1));
        let (mut sum_i, mut sum_q) = (zero, zero);
        for k in 0..V {
            let mask = before(to, k) & !before(from, k);
            let i = _mm512_maskz_mov_epi8(mask, load(&tile[2 * k]));
            let q = _mm512_maskz_mov_epi8(mask, load(&tile[2 * k + 1]));
            sum_i = _mm512_dpbusd_epi32(sum_i, ones, i);
            sum_q = _mm512_dpbusd_epi32(sum_q, ones, q);
            store(&mut part[2 * k], i);
            store(&mut part[2 * k + 1], q);
        }
        store(&mut part[2 * V], _mm512_sub_epi32(zero, sum_i));
        store(&mut part[2 * V + 1], _mm512_sub_epi32(zero, sum_q));
    }

    /// Cosine and sine of the carrier at the middle of what each lane adds up in a tile, from the tile's first
    /// sample on.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn lanes<const V: usize>(cycles_per_sample: f64) -> [__m512; 2] {
        // Each lane has four samples of its chunk in every vector.
        let middle = (PART / 2 * (V - 1)) as f32 + 1.5;
        let chunk = _mm512_set_ps(7., 7., 6., 6., 5., 5., 4., 4., 3., 3., 2., 2., 1., 1., 0., 0.);
        let half = _mm512_set_ps(4., 0., 4., 0., 4., 0., 4., 0., 4., 0., 4., 0., 4., 0., 4., 0.);
        let at = _mm512_add_ps(half, _mm512_set1_ps(middle));
        let at = _mm512_fmadd_ps(chunk, _mm512_set1_ps((PART * V) as f32), at);
        // An eighth of the angle, which is less than a sixteenth of a turn; then doubled three times.
        let x = _mm512_mul_ps(at, _mm512_set1_ps((TAU / 8.0 * cycles_per_sample) as f32));
        let y = _mm512_mul_ps(x, x);
        let one = _mm512_set1_ps(1.0);
        let mut cos = one;
        for k in [56.0, 30.0, 12.0, 2.0] {
            cos = _mm512_fnmadd_ps(_mm512_mul_ps(y, _mm512_set1_ps(1.0 / k)), cos, one);
        }
        let mut sin = one;
        for k in [72.0, 42.0, 20.0, 6.0] {
            sin = _mm512_fnmadd_ps(_mm512_mul_ps(y, _mm512_set1_ps(1.0 / k)), sin, one);
        }
        sin = _mm512_mul_ps(sin, x);
        for _ in 0..3 {
            let twice = _mm512_mul_ps(_mm512_add_ps(sin, sin), sin);
            sin = _mm512_mul_ps(_mm512_add_ps(sin, sin), cos);
            cos = _mm512_sub_ps(one, twice);
        }
        [cos, sin]
    }

    #[target_feature(
        enable = "avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx512bitalg"
    )]
    pub(super) fn correlate<const N: usize, const V: usize>(
        job: &Job<'_>,
        codes: [&[u64]; N],
    ) -> Option<[Sums; N]> {
        let (tile_len, chunk) = (len_of(V), PART * V);
        let end = job.skip + job.len;
        let tiles = job.lines.chunks_exact(lines_of(V)).take(end.div_ceil(tile_len));
        if tiles.len() * tile_len < end {
            return None;
        }
        let lowest = job.offsets[2].floor();
        let places = [
            places::<V>(job.step, job.offsets[0] - lowest),
            places::<V>(job.step, job.offsets[1] - lowest),
            places::<V>(job.step, job.offsets[2] - lowest),
        ];

        // The code phase of the first tile's first sample.
        let wrap = (job.period as u64) << FRACTION;
        let back = job.step * job.skip as u64;
        let mut position = job.position;
        if position < back {
            position += (back - position).div_ceil(wrap) * wrap;
        }
        position -= back;
        let margin = ((MARGIN as f64 + lowest) as u64) << FRACTION;
        let stride = job.step * tile_len as u64;
        let of_chunk = job.step * chunk as u64;
        let chunks = _mm512_mullo_epi64(
            _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0),
            _mm512_set1_epi64(of_chunk.cast_signed()),
        );
        // Rounding of the chunks' phases and of the early and late places shall leave edges where they are on
        // average: what is compared is the sum of two whole numbers, half a unit less than what they stand for.
        let half = 1i64 << (CUT - 1);
        let first = _mm512_add_epi64(chunks, _mm512_set1_epi64(position.cast_signed() + half));
        let rest = mean_rest(first, stride, tiles.len());
        let error = 1.0 - rest + 0.5 * (places[0].error + places[2].error);
        let moved = half - (error * (1u64 << CUT) as f64) as i64;
        // A period more, so that it stays positive.
        position = (position + wrap).wrapping_add_signed(moved);
        while position >= wrap {
            position -= wrap;
        }
        let stride = if stride >= wrap { stride % wrap } else { stride };

        let mut rotor = cis(job.turns - job.skip as f64 * job.cycles_per_sample);
        // A chunk is so short that the carrier turns little.
        let next = cis_small(job.cycles_per_sample * chunk as f64);
        let turn = (0..3).fold(next, |turn, _| turn * turn);
        let mut total = [[_mm512_setzero_ps(); 6]; N];
        let mut part = [Line::ZERO; lines_of(crate::tiles::MAX_VECTORS)];
        let mut at = 0;
        for tile in tiles {
            let (from, to) = (job.skip.saturating_sub(at), (end - at).min(tile_len));
            at += tile_len;
            let tile = if (from, to) == (0, tile_len) {
                tile
            } else {
                cut::<V>(tile, from, to, &mut part);
                &part[..lines_of(V)]
            };
            let (cos, sin) = (_mm512_set1_ps(rotor.re as f32), _mm512_set1_ps(rotor.im as f32));
            rotor *= turn;
            for n in 0..N {
                let sum = tile_sums::<V>(tile, &places, window(codes[n], position + margin, chunks)?);
                for t in 0..3 {
                    let (re, im) = (_mm512_cvtepi32_ps(sum[t][0]), _mm512_cvtepi32_ps(sum[t][1]));
                    let [total_re, total_im] = [total[n][2 * t], total[n][2 * t + 1]];
                    total[n][2 * t] = _mm512_fmadd_ps(im, sin, _mm512_fmadd_ps(re, cos, total_re));
                    total[n][2 * t + 1] = _mm512_fnmadd_ps(re, sin, _mm512_fmadd_ps(im, cos, total_im));
                }
            }
            position += stride;
            if position >= wrap {
                position -= wrap;
            }
        }

        let [cos, sin] = lanes::<V>(job.cycles_per_sample);
        let mut sums = [Sums::default(); N];
        for n in 0..N {
            for t in 0..3 {
                let (re, im) = (total[n][2 * t], total[n][2 * t + 1]);
                let turned_re = _mm512_fmadd_ps(im, sin, _mm512_mul_ps(re, cos));
                let turned_im = _mm512_fnmadd_ps(re, sin, _mm512_mul_ps(im, cos));
                sums[n][t] = Complex::new(
                    -f64::from(_mm512_reduce_add_ps(turned_re)),
                    -f64::from(_mm512_reduce_add_ps(turned_im)),
                );
            }
        }
        Some(sums)
    }
}

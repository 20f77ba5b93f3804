/* Weighted sums of rows of bytes, as Pillow's resize takes them: integers throughout, so any machine gives the same.
 *
 * Plain C without Python's headers; called through ctypes, which lets other threads run meanwhile.
 * GCC on Linux compiles each vector width and picks one when the library loads.
 */
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && __GNUC__ >= 12
#define EACH_WIDTH __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#elif defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && __GNUC__ >= 6
#define EACH_WIDTH __attribute__((target_clones("avx2", "default")))
#else
#define EACH_WIDTH
#endif

enum { BITS = 22, HALF = 1 << (BITS - 1), STRIP = 64 }; /* a strip of sums fits into the vector registers */

static inline uint8_t rounded(int32_t sum)
{
    int32_t level = sum >> BITS;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

static inline void blend_strip(const uint8_t *source, ptrdiff_t width, const int32_t *weights, int32_t count,
                               uint8_t *out, int strip)
{
    int32_t sums[STRIP];
    for (int i = 0; i < strip; i++)
        sums[i] = HALF;
    for (int32_t k = 0; k < count; k++)
        for (int i = 0; i < strip; i++)
            sums[i] += source[k * width + i] * weights[k];
    for (int i = 0; i < strip; i++)
        out[i] = rounded(sums[i]);
}

/* out[y] = sum over k < count[y] of source[first[y] + k] * weights[y][k], all rows `width` bytes long, no gaps. */
EACH_WIDTH EXPORT void cnnkit_blend_rows(const uint8_t *source, ptrdiff_t width, const int32_t *first,
                                         const int32_t *count, const int32_t *weights, ptrdiff_t taps,
                                         ptrdiff_t rows, uint8_t *out)
{
    for (ptrdiff_t y = 0; y < rows; y++, weights += taps, out += width) {
        const uint8_t *top = source + first[y] * width;
        ptrdiff_t at = 0;
        for (; at + STRIP <= width; at += STRIP)
            blend_strip(top + at, width, weights, count[y], out + at, STRIP);
        if (at < width && width >= STRIP) /* the last strip reaches back over the one before */
            blend_strip(top + width - STRIP, width, weights, count[y], out + width - STRIP, STRIP);
        else if (at < width)
            blend_strip(top, width, weights, count[y], out, (int)width);
    }
}

#if defined(_WIN32)
void *PyInit__rows(void) { return NULL; } /* the linker asks for it; nobody imports this library */
#endif

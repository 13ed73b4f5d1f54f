#include "pipeline/generator.h"

/*
 * Guy L. Steele, Doug Lea, Christine H. Flood: Fast splittable pseudorandom number generators
 * (OOPSLA 2014), in the form of https://prng.di.unimi.it/splitmix64.c by Sebastiano Vigna.
 */
uint64_t
splitmix64_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t
rotate_left(uint64_t number, int bits)
{
    return number << bits | number >> (64 - bits);
}

/*
 * David Blackman, Sebastiano Vigna: Scrambled linear pseudorandom number generators (2018), as in
 * https://prng.di.unimi.it/xoshiro256starstar.c.
 */
uint64_t
xoshiro256_next(uint64_t state[4])
{
    const uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    const uint64_t t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotate_left(state[3], 45);
    return result;
}

#include "pipeline/reading_source.h"

#include "pipeline/generator.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#define SIMULATED_START_NS INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */
#define SIMULATED_STEP_NS  UINT64_C(2000000)            /* the longest; half of it on average */

/* A kind of sensor. Values are whole hundredths, so that they print as they were made. */
struct sensor {
    char name[READING_SENSOR_SIZE];
    char unit[READING_UNIT_SIZE];
    int32_t hundredths_min;
    uint32_t hundredths_span;
};

static const struct sensor sensors[] = {
    {"hall.temperature", "°C", 1200, 1600},
    {"hall.humidity", "%", 2000, 6000},
    {"freezer.temperature", "°C", -2600, 1000},
    {"dock.temperature", "°C", -1500, 5000},
    {"boiler.temperature", "°C", 4000, 5500},
    {"boiler.pressure", "bar", 80, 220},
    {"air.pressure", "hPa", 96000, 8000},
    {"air.co2", "ppm", 38000, 120000},
    {"mains.voltage", "V", 21800, 2400},
    {"mains.current", "A", 0, 6300},
    {"mains.frequency", "Hz", 4990, 20},
    {"water.flow", "l/min", 0, 4500},
    {"belt.speed", "m/s", 0, 250},
    {"scale.weight", "kg", 0, 150000},
    {"aisle.light", "lx", 5000, 75000},
    {"door.opened", "s", 0, 60000},
};

/* A number below `bound` out of the upper half of `random`; the bias is below bound / 2^32. */
static uint32_t
below(uint64_t random, uint32_t bound)
{
    return (uint32_t)((random >> 32) * bound >> 32);
}

/*
 * Ids look random and never repeat: each step maps the numbers below 2^53 onto themselves, one to
 * one, and (producer, sequence) is such a number, as 10 bits and 43.
 */
static uint64_t
make_id(uint64_t key, uint32_t producer, uint64_t sequence)
{
    uint64_t id = (uint64_t)(producer - 1) << 43 | sequence;
    id = (id + key) & READING_ID_MAX;
    id = (id ^ id >> 27) * UINT64_C(0xbf58476d1ce4e5b9) & READING_ID_MAX;
    id = (id ^ id >> 27) * UINT64_C(0x94d049bb133111eb) & READING_ID_MAX;
    return id ^ id >> 27;
}

static int64_t
read_clock(struct reading_source *source, uint64_t random)
{
    if (source->clock == READING_CLOCK_SIMULATED) {
        source->simulated_ns += below(random, SIMULATED_STEP_NS);
        return source->simulated_ns;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void
reading_source_init(
    struct reading_source *source, uint64_t seed, uint32_t producer, enum reading_clock clock)
{
    static_assert(READING_ID_MAX == (UINT64_C(1) << 53) - 1, "ids are numbers of 53 bits");
    assert(producer >= 1 && producer <= READING_PRODUCER_MAX);
    *source = (struct reading_source){
        .clock = clock, .producer = producer, .simulated_ns = SIMULATED_START_NS};
    source->id_key = splitmix64_next(&seed);
    uint64_t state = seed ^ (uint64_t)producer << 32;
    for (int i = 0; i < 4; i++) {
        source->random[i] = splitmix64_next(&state);
    }
}

void
reading_source_next(struct reading_source *source, struct reading *reading)
{
    const uint64_t random = xoshiro256_next(source->random);
    /* The lowest four bits choose the sensor, the upper half the value. */
    const struct sensor *sensor = &sensors[random % (sizeof sensors / sizeof sensors[0])];
    const int64_t hundredths =
        sensor->hundredths_min + (int64_t)below(random, sensor->hundredths_span + 1);

    source->sequence++;
    reading->id = make_id(source->id_key, source->producer, source->sequence);
    reading->sequence = source->sequence;
    reading->time_ns = read_clock(source, random << 28);
    reading->value = (double)hundredths / 100;
    reading->producer = source->producer;
    memcpy(reading->sensor, sensor->name, sizeof reading->sensor);
    memcpy(reading->unit, sensor->unit, sizeof reading->unit);
}

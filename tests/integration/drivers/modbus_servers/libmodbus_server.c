/* A Modbus server on libmodbus: what stands in its registers is written there by libmodbus's own
 * functions where it has one, else by the C below, from a text file of lines
 *
 *     TABLE ADDRESS TYPE ORDER VALUE
 *
 * TABLE holding, input, coil, discrete; TYPE u16 .. f64, bcd16 .. bcd64, text, bit; ORDER of the
 * bytes of a 32-bit value, most significant first: ABCD, CDAB, BADC, DCBA.
 *
 * libmodbus_server tcp FILE        listens on a free port of 127.0.0.1
 * libmodbus_server rtu FILE TTY    is slave 3 on a serial line
 *
 * Says "READY port" once it can be asked. Addresses 0 to 1999 exist.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CELLS = 2000, SLAVE = 3 };

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
    exit(1);
}

/* The value as one 64-bit image, the last 16, 32 or 64 bits of which are meant. */
static uint64_t image_of(const char *type, const char *value) {
    uint64_t image;
    double number;
    if (!strncmp(type, "bcd", 3)) return strtoull(value, NULL, 16); /* a digit is four bits */
    if (!strcmp(type, "f64")) {
        number = strtod(value, NULL);
        memcpy(&image, &number, sizeof image);
        return image;
    }
    return type[0] == 'i' ? (uint64_t)strtoll(value, NULL, 10) : strtoull(value, NULL, 10);
}

static void put_integer(uint16_t *at, int words, uint64_t image, const char *order) {
    uint16_t high_first[4];
    int is_low_word_first = !strcmp(order, "CDAB") || !strcmp(order, "DCBA");
    int is_low_byte_first = !strcmp(order, "BADC") || !strcmp(order, "DCBA");
    if (words == 1) high_first[0] = (uint16_t)image;
    if (words == 2) MODBUS_SET_INT32_TO_INT16(high_first, 0, image);
    if (words == 4) MODBUS_SET_INT64_TO_INT16(high_first, 0, image);
    for (int k = 0; k < words; k++) {
        uint16_t word = high_first[is_low_word_first ? words - 1 - k : k];
        at[k] = is_low_byte_first ? (uint16_t)(word << 8 | word >> 8) : word;
    }
}

static void put_float(uint16_t *at, float value, const char *order) {
    if (!strcmp(order, "ABCD")) modbus_set_float_abcd(value, at);
    else if (!strcmp(order, "CDAB")) modbus_set_float_cdab(value, at);
    else if (!strcmp(order, "BADC")) modbus_set_float_badc(value, at);
    else modbus_set_float_dcba(value, at);
}

static void put_text(uint16_t *at, const char *text, const char *order) {
    int swapped = !strcmp(order, "BADC") || !strcmp(order, "DCBA");
    for (size_t i = 0; i < strlen(text); i++) {
        int is_high = (i % 2 == 0) != swapped;
        at[i / 2] |= (uint16_t)((uint8_t)text[i] << (is_high ? 8 : 0));
    }
}

static void load(const char *path, modbus_mapping_t *map) {
    char table[10], type[10], order[10], value[64];
    int address;
    FILE *file = fopen(path, "r");
    if (file == NULL) fail(path);
    while (fscanf(file, "%9s %d %9s %9s %63s", table, &address, type, order, value) == 5) {
        uint16_t *at =
            (strcmp(table, "input") ? map->tab_registers : map->tab_input_registers) + address;
        if (!strcmp(table, "coil")) map->tab_bits[address] = value[0] == '1';
        else if (!strcmp(table, "discrete")) map->tab_input_bits[address] = value[0] == '1';
        else if (!strcmp(type, "f32")) put_float(at, strtof(value, NULL), order);
        else if (!strcmp(type, "text")) put_text(at, value, order);
        else {
            int bits = atoi(type + strcspn(type, "0123456789"));
            put_integer(at, bits / 16, image_of(type, value), order);
        }
    }
    fclose(file);
}

static int port_of(int listener) {
    struct sockaddr_in where;
    socklen_t size = sizeof where;
    if (getsockname(listener, (struct sockaddr *)&where, &size) != 0) fail("getsockname");
    return ntohs(where.sin_port);
}

int main(int count, char **given) {
    uint8_t query[MODBUS_MAX_ADU_LENGTH];
    modbus_mapping_t *map = modbus_mapping_new(CELLS, CELLS, CELLS, CELLS);
    int is_tcp = count == 3 && !strcmp(given[1], "tcp"), listener = -1;
    modbus_t *line;
    if (map == NULL || count < 3) fail("usage");
    load(given[2], map);
    line = is_tcp ? modbus_new_tcp("127.0.0.1", 0) : modbus_new_rtu(given[3], 9600, 'N', 8, 1);
    if (line == NULL) fail("new");
    if (is_tcp) {
        listener = modbus_tcp_listen(line, 5);
        if (listener < 0) fail("listen");
        printf("READY %d\n", port_of(listener));
        fflush(stdout);
        modbus_tcp_accept(line, &listener);
    } else {
        modbus_set_slave(line, SLAVE);
        if (modbus_connect(line) != 0) fail("connect");
        puts("READY 0");
        fflush(stdout);
    }
    for (;;) {
        int length = modbus_receive(line, query);
        if (length > 0) modbus_reply(line, query, length, map);
        else if (length < 0 && is_tcp) {
            modbus_close(line);
            modbus_tcp_accept(line, &listener);
        }
    }
}

/* An OPC UA server on open62541 1.4 (Debian: libopen62541-1.4-dev):
 *   cc open62541_server.c -o server -lopen62541
 *   server PORT URI CERTIFICATE KEY TRUSTED USER PASSWORD SESSIONS MANY
 * CERTIFICATE, KEY, TRUSTED (a client's certificate) are DER files. Prints "READY" when it listens.
 */
#include <open62541/plugin/accesscontrol_default.h>
#include <open62541/plugin/log_stdout.h>
#include <open62541/server.h>
#include <open62541/server_config_default.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile UA_Boolean running = true;
static UA_UInt16 ours;
static UA_UInt32 count;

static void stop(int signal_number) { (void)signal_number; running = false; }

static UA_ByteString load(const char *path) {
    UA_ByteString data = UA_BYTESTRING_NULL;
    FILE *file = fopen(path, "rb");
    if(!file) { perror(path); exit(2); }
    fseek(file, 0, SEEK_END);
    if(UA_ByteString_allocBuffer(&data, (size_t)ftell(file)) != UA_STATUSCODE_GOOD) exit(2);
    rewind(file);
    if(fread(data.data, 1, data.length, file) != data.length) exit(2);
    fclose(file);
    return data;
}

static void put(UA_Server *server, char *name, void *value, int type, UA_StatusCode status) {
    UA_DataValue answer;
    UA_DataValue_init(&answer);
    UA_Variant_setScalar(&answer.value, value, &UA_TYPES[type]);
    answer.hasValue = true;
    answer.hasStatus = true;
    answer.status = status;
    answer.hasSourceTimestamp = true;
    UA_DateTimeStruct when = {.year = 2026, .month = 11, .day = 1, .hour = 12, .milliSec = 123,
                              .microSec = 456};
    answer.sourceTimestamp = UA_DateTime_fromStruct(when);
    UA_Server_writeDataValue(server, UA_NODEID_STRING(ours, name), answer);
}

static void add(UA_Server *server, char *name, void *value, int type, UA_StatusCode status) {
    UA_VariableAttributes attributes = UA_VariableAttributes_default;
    UA_Variant_setScalar(&attributes.value, value, &UA_TYPES[type]);
    attributes.dataType = UA_TYPES[type].typeId;
    attributes.valueRank = UA_VALUERANK_SCALAR;
    attributes.displayName = UA_LOCALIZEDTEXT("en", name);
    UA_Server_addVariableNode(server, UA_NODEID_STRING(ours, name),
                              UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
                              UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES),
                              UA_QUALIFIEDNAME(ours, name),
                              UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes,
                              NULL, NULL);
    put(server, name, value, type, status);
}

static void tick(UA_Server *server, void *context) {
    (void)context;
    count++;
    put(server, "Counter", &count, UA_TYPES_UINT32, UA_STATUSCODE_GOOD);
}

static void add_types(UA_Server *server, unsigned many) {
    UA_Boolean boolean = true;
    UA_SByte sbyte = -2;
    UA_Byte byte = 165;
    UA_Int16 int16 = -2;
    UA_UInt16 uint16 = 0x1234;
    UA_Int32 int32 = -2;
    UA_UInt32 uint32 = 0x12345678;
    UA_Int64 int64 = -2;
    UA_UInt64 uint64 = 0x0123456789abcdef;
    UA_Float single = 123456, unsure = 4.5, nothing = 0;
    UA_Double real = -2;
    UA_StatusCode good = UA_STATUSCODE_GOOD;
    add(server, "Boolean", &boolean, UA_TYPES_BOOLEAN, good);
    add(server, "SByte", &sbyte, UA_TYPES_SBYTE, good);
    add(server, "Byte", &byte, UA_TYPES_BYTE, good);
    add(server, "Int16", &int16, UA_TYPES_INT16, good);
    add(server, "UInt16", &uint16, UA_TYPES_UINT16, good);
    add(server, "Int32", &int32, UA_TYPES_INT32, good);
    add(server, "UInt32", &uint32, UA_TYPES_UINT32, good);
    add(server, "Int64", &int64, UA_TYPES_INT64, good);
    add(server, "UInt64", &uint64, UA_TYPES_UINT64, good);
    add(server, "Float", &single, UA_TYPES_FLOAT, good);
    add(server, "Double", &real, UA_TYPES_DOUBLE, good);
    add(server, "Unsure", &unsure, UA_TYPES_FLOAT, UA_STATUSCODE_UNCERTAINSENSORNOTACCURATE);
    add(server, "Broken", &nothing, UA_TYPES_FLOAT, UA_STATUSCODE_BADSENSORFAILURE);
    add(server, "Away", &nothing, UA_TYPES_FLOAT, UA_STATUSCODE_BADNOCOMMUNICATION);
    add(server, "Counter", &count, UA_TYPES_UINT32, good);
    for(unsigned i = 0; i < many; i++) {
        char name[32];
        snprintf(name, sizeof(name), "Many-%u", i);
        UA_Float value = (UA_Float)i;
        add(server, name, &value, UA_TYPES_FLOAT, good);
    }
}

int main(int argc, char **argv) {
    if(argc != 10) return 2;
    signal(SIGTERM, stop);
    UA_ByteString certificate = load(argv[3]), key = load(argv[4]), trusted = load(argv[5]);
    UA_ServerConfig config;
    memset(&config, 0, sizeof(config));
    config.logging = UA_Log_Stdout_new(UA_LOGLEVEL_ERROR);
    if(UA_ServerConfig_setDefaultWithSecurityPolicies(
           &config, (UA_UInt16)atoi(argv[1]), &certificate, &key, &trusted, 1, &trusted, 1, NULL,
           0) != UA_STATUSCODE_GOOD)
        return 2;
    UA_String_clear(&config.applicationDescription.applicationUri);
    config.applicationDescription.applicationUri = UA_STRING_ALLOC(argv[2]);
    for(size_t i = 0; i < config.endpointsSize; i++) {
        UA_String_clear(&config.endpoints[i].server.applicationUri);
        config.endpoints[i].server.applicationUri = UA_STRING_ALLOC(argv[2]);
    }
    char url[64]; /* on the loopback address alone */
    snprintf(url, sizeof(url), "opc.tcp://127.0.0.1:%s", argv[1]);
    UA_String_clear(&config.serverUrls[0]);
    config.serverUrls[0] = UA_STRING_ALLOC(url);
    config.maxSessions = (UA_UInt16)atoi(argv[8]);
    config.maxNodesPerRead = 700;
    config.maxMonitoredItemsPerCall = 300;
    UA_UsernamePasswordLogin login = {UA_STRING(argv[6]), UA_STRING(argv[7])};
    config.accessControl.clear(&config.accessControl);
    if(UA_AccessControl_default(&config, true, NULL, 1, &login) != UA_STATUSCODE_GOOD) return 2;
    UA_Server *server = UA_Server_newWithConfig(&config);
    if(!server) return 2;
    ours = UA_Server_addNamespace(server, "urn:stackproof:test:types");
    add_types(server, (unsigned)atoi(argv[9]));
    UA_Server_addRepeatedCallback(server, tick, NULL, 50, NULL);
    if(UA_Server_run_startup(server) != UA_STATUSCODE_GOOD) return 2;
    printf("READY\n");
    fflush(stdout);
    while(running) UA_Server_run_iterate(server, true);
    UA_Server_run_shutdown(server);
    UA_Server_delete(server);
    return 0;
}

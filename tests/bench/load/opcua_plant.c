/* An OPC UA server on open62541 whose values all change again and again:
 *   cc opcua_plant.c -o plant -lopen62541
 *   plant PORT NODES MS
 * NODES floats "Many-0"... in the namespace urn:stackproof:bench, each holding how often it has
 * changed, every MS milliseconds. Prints "READY" when it listens on the loopback address.
 */
#include <open62541/plugin/log_stdout.h>
#include <open62541/server.h>
#include <open62541/server_config_default.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile UA_Boolean running = true;
static UA_UInt16 ours;
static unsigned nodes;
static UA_Float count;

static void stop(int signal_number) { (void)signal_number; running = false; }

static void tick(UA_Server *server, void *context) {
    (void)context;
    count++;
    UA_DataValue answer;
    UA_DataValue_init(&answer);
    UA_Variant_setScalar(&answer.value, &count, &UA_TYPES[UA_TYPES_FLOAT]);
    answer.hasValue = answer.hasSourceTimestamp = true;
    answer.sourceTimestamp = UA_DateTime_now();
    for(unsigned i = 0; i < nodes; i++)
        UA_Server_writeDataValue(server, UA_NODEID_NUMERIC(ours, i + 1), answer);
}

int main(int argc, char **argv) {
    if(argc != 4) return 2;
    signal(SIGTERM, stop);
    UA_ServerConfig config;
    memset(&config, 0, sizeof(config));
    config.logging = UA_Log_Stdout_new(UA_LOGLEVEL_ERROR);
    if(UA_ServerConfig_setMinimal(&config, (UA_UInt16)atoi(argv[1]), NULL)) return 2;
    char url[64];
    snprintf(url, sizeof(url), "opc.tcp://127.0.0.1:%s", argv[1]);
    UA_String_clear(&config.serverUrls[0]);
    config.serverUrls[0] = UA_STRING_ALLOC(url);
    UA_Server *server = UA_Server_newWithConfig(&config);
    if(!server) return 2;
    ours = UA_Server_addNamespace(server, "urn:stackproof:bench");
    nodes = (unsigned)atoi(argv[2]);
    for(unsigned i = 0; i < nodes; i++) {
        char name[32];
        snprintf(name, sizeof(name), "Many-%u", i);
        UA_VariableAttributes attributes = UA_VariableAttributes_default;
        UA_Variant_setScalar(&attributes.value, &count, &UA_TYPES[UA_TYPES_FLOAT]);
        attributes.dataType = UA_TYPES[UA_TYPES_FLOAT].typeId;
        attributes.valueRank = UA_VALUERANK_SCALAR;
        UA_Server_addVariableNode(server, UA_NODEID_NUMERIC(ours, i + 1),
                                  UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
                                  UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES),
                                  UA_QUALIFIEDNAME(ours, name),
                                  UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes,
                                  NULL, NULL);
    }
    UA_Server_addRepeatedCallback(server, tick, NULL, atof(argv[3]), NULL);
    if(UA_Server_run_startup(server) != UA_STATUSCODE_GOOD) return 2;
    printf("READY\n");
    fflush(stdout);
    while(running) UA_Server_run_iterate(server, true);
    UA_Server_run_shutdown(server);
    UA_Server_delete(server);
    return 0;
}

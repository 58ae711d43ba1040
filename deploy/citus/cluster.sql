-- Said once to the coordinator: who it is, and who its workers are. Saying it again changes nothing.
SELECT citus_set_coordinator_host('coordinator', 5432);
SELECT citus_add_node('worker1', 5432);
SELECT citus_add_node('worker2', 5432);
SELECT * FROM citus_get_active_worker_nodes();

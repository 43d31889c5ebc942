/* The same records into SQLite in WAL mode, synchronous=NORMAL, the way a device without a spool would keep them: transactions of
 * so many rows. Usage: sqlite_append FILE RECORDS ROWS_IN_A_TRANSACTION; prints one JSON object. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long long now_ns(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void check(sqlite3 *database, int result, int expected) {
	if (result == expected) return;
	fprintf(stderr, "sqlite_append: %s\n", sqlite3_errmsg(database));
	exit(1);
}

int main(int count, char **arguments) {
	if (count != 4) return 2;
	long records = atol(arguments[2]), rows = atol(arguments[3]);
	unsigned char record[100];
	for (int i = 0; i < 100; i++) record[i] = (unsigned char)(i * 31);
	sqlite3 *database;
	check(NULL, sqlite3_open(arguments[1], &database), SQLITE_OK);
	check(database, sqlite3_exec(database, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
		"CREATE TABLE record(sequence INTEGER PRIMARY KEY, content BLOB NOT NULL)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_stmt *begin, *insert, *commit;
	check(database, sqlite3_prepare_v2(database, "BEGIN", -1, &begin, NULL), SQLITE_OK);
	check(database, sqlite3_prepare_v2(database, "INSERT INTO record(content) VALUES (?)", -1, &insert, NULL), SQLITE_OK);
	check(database, sqlite3_prepare_v2(database, "COMMIT", -1, &commit, NULL), SQLITE_OK);
	long long began = now_ns();
	for (long done = 0; done < records;) {
		if (rows > 1) {
			check(database, sqlite3_step(begin), SQLITE_DONE);
			sqlite3_reset(begin);
		}
		for (long row = 0; row < rows && done < records; row++, done++) {
			sqlite3_bind_blob(insert, 1, record, sizeof record, SQLITE_STATIC);
			check(database, sqlite3_step(insert), SQLITE_DONE);
			sqlite3_reset(insert);
		}
		if (rows > 1) {
			check(database, sqlite3_step(commit), SQLITE_DONE);
			sqlite3_reset(commit);
		}
	}
	printf("{\"records\": %ld, \"ns\": %lld}\n", records, now_ns() - began);
	return 0;
}

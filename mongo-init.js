// Makes the server of docker-compose.yml a replica set of one, unless it is one already, and waits until it takes writes: without a set
// MongoDB has no transactions, and Spacey refuses it.

try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}

for (let attempt = 0; !db.hello().isWritablePrimary; attempt += 1) {
  if (attempt > 150) throw new Error("the replica set has no primary after 30 seconds");
  sleep(200);
}

# A database that is empty at each start and asks for no password: for tests.
set -e
initdb --username=postgres --auth=trust --no-locale --encoding=UTF8 --pgdata=/data/postgres
echo "host all all all trust" >> /data/postgres/pg_hba.conf
exec postgres -D /data/postgres -c "listen_addresses=*" -c unix_socket_directories=/tmp

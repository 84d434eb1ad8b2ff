module services/new-service

go 1.26

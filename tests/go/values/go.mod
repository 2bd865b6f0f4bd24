module deferd.test/values

go 1.21

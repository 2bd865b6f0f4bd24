module deferd.test/image

go 1.21

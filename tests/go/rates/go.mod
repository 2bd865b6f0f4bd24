module rates

go 1.21

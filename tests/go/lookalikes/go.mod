module lookalikes

go 1.21

# Proportional odds DIF for tests/reference/irt_diagnostics; run: Rscript generate_ordinal.R <folder of shared data> > expected_ordinal.json
# Debian 12: R 4.2.2, MASS 7.3-58.2 (r-cran-mass), polr.
suppressPackageStartupMessages(library(MASS))
shared <- commandArgs(trailingOnly = TRUE)[1]
vec <- function(x) paste0("[", paste(formatC(as.numeric(x), digits = 16, format = "g"), collapse = ","), "]")
x <- as.matrix(read.csv(file.path(shared, "data", "classic_irt/Science.csv")) - 1)
focal <- seq_len(nrow(x)) %% 2; total <- rowSums(x)
s <- (total - mean(total)) / sd(total)
fits <- lapply(seq_len(ncol(x)), function(j) {
  y <- factor(x[, j]); k <- list(reltol = 1e-15, maxit = 10000)
  list(polr(y ~ 1, control = k), polr(y ~ s, control = k), polr(y ~ s + focal, control = k), polr(y ~ s * focal, control = k))
})
dev <- sapply(fits, function(f) sapply(f, deviance)); n <- nrow(x)
nagel <- function(d, d0) (1 - exp((d - d0) / n)) / (1 - exp(-d0 / n))
r2 <- apply(dev, 2, function(d) nagel(d, d[1]))
out <- c(uniform = vec(dev[2, ] - dev[3, ]), nonuniform = vec(dev[3, ] - dev[4, ]), both = vec(dev[2, ] - dev[4, ]),
         r2_uniform = vec(r2[3, ] - r2[2, ]), r2_both = vec(r2[4, ] - r2[2, ]),
         group_effect = vec(sapply(fits, function(f) coef(f[[3]])["focal"])),
         interaction = vec(sapply(fits, function(f) coef(f[[4]])["s:focal"]) / sd(total)))
cat(paste0("{\"software\": \"", R.version.string, ", MASS ", packageVersion("MASS"), "\",\n",
           paste0("\"", names(out), "\": ", out, collapse = ",\n"), "}\n"))

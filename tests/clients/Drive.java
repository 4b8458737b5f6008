import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/** Reports each line of standard input as a token; at its end closes, and prints facts as JSON. */
public final class Drive {
    public static void main(String[] arguments) throws IOException {
        Reporter reporter = new Reporter(arguments[0]);
        long calls = 0;
        long longest = 0;
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String token = lines.readLine(); token != null; token = lines.readLine()) {
            long before = System.nanoTime();
            reporter.report("driver", token);
            longest = Math.max(longest, System.nanoTime() - before);
            calls++;
        }
        reporter.close();
        System.out.printf(
                "{\"calls\":%d,\"dropped\":%d,\"longest_us\":%d}%n", calls, reporter.dropped(), longest / 1000);
    }
}
